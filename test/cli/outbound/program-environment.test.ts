import { expect, test } from 'vitest'
import type { Variable } from '../../../cli/outbound/env/resolve.ts'
import { forProgram, programEnvironment, withoutNetwork } from '../../../cli/outbound/program-environment.ts'

const pod = new Map<string, Variable>([
  ['LOG', { value: 'pod', source: 'value' }],
  ['PATH', { value: '/app/bin', source: 'value' }],
  ['TOKEN', { value: 's', source: 'secret' }],
])

test("a pod's variables, but those that tell of its machine", () => {
  expect([...forProgram(pod).keys()]).toEqual(['LOG', 'TOKEN'])
  const said = new Map<string, Variable>([...pod, ['PATH', { value: '/mine', source: 'local' }]])
  expect(forProgram(said).get('PATH')?.value).toBe('/mine')
})

test('in a twin the way out of this machine does not hold', () => {
  expect(withoutNetwork({ https_proxy: 'http://proxy:3128', NO_PROXY: '*', EDITOR: 'vi' })).toEqual({ EDITOR: 'vi' })
})

test("the pod's over this machine's, without what was unset", () => {
  const own = { PATH: '/usr/bin', LOG: 'here', EDITOR: 'vi' }
  expect(programEnvironment(own, [['LOG', 'pod']], ['EDITOR'])).toEqual({ PATH: '/usr/bin', LOG: 'pod' })
})
