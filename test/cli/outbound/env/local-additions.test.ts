import { expect, test } from 'vitest'
import { withLocal } from '../../../../cli/outbound/env/local-additions.ts'
import type { Variable } from '../../../../cli/outbound/env/resolve.ts'

const ofPod = new Map<string, Variable>([
  ['A', { value: 'pod', source: 'secret' }],
  ['B', { value: 'pod', source: 'value' }],
  ['C', { value: 'pod', source: 'value' }],
])

test('files win over the pod, later files over earlier ones, set over files, unset over all', () => {
  const files = ["A='one # 1'\nB=one\n# no\nexport X=1", 'B=two']
  const all = withLocal(ofPod, { files, set: ['X=a=b', 'Y='], unset: ['C', 'none'] })
  expect([...all]).toEqual([
    ['A', { value: 'one # 1', source: 'local' }],
    ['B', { value: 'two', source: 'local' }],
    ['X', { value: 'a=b', source: 'local' }],
    ['Y', { value: '', source: 'local' }],
  ])
  expect(ofPod.get('A')?.value).toBe('pod')
})

test.each(['A', '=x', ''])('"%s" sets nothing', (entry) => {
  expect(() => withLocal(ofPod, { files: [], set: [entry], unset: [] })).toThrow(/sets no variable/)
})
