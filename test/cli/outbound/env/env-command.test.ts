import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import type { ParsedOptions } from '../../../../cli/command.ts'
import { env } from '../../../../cli/commands/env.ts'
import { outputFormatOf, Ui } from '../../../../cli/ui/ui.ts'
import { KubeError } from '../../../../src/kube/error.ts'
import type { Pod, Secret, Service } from '../../../../src/kube/objects.ts'
import { pods, secrets, services } from '../../../../src/kube/resources.ts'
import { FakeKube } from '../../support/fake-kube.ts'
import { Output, plain } from '../../support/output.ts'

const namespace = 'shop'
let kube: FakeKube

beforeEach(() => {
  kube = new FakeKube()
  const kubernetes = { clusterIP: '10.0.0.1', ports: [] }
  kube.put<Service>(services, { metadata: { name: 'kubernetes', namespace: 'default' }, spec: kubernetes })
  kube.put<Secret>(secrets, {
    metadata: { name: 'db', namespace },
    data: { password: Buffer.from('hidden').toString('base64') },
  })
  const variables = [
    { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
    { name: 'URL', value: 'db://u:$(PASSWORD)@db' },
    { name: 'LINES', value: 'a\nb' },
    { name: 'STEERS', value: 'x\x1b]0;title\x07' },
  ]
  kube.put<Pod>(pods, {
    metadata: { name: 'orders-1', namespace },
    spec: { containers: [{ name: 'main', env: variables }], enableServiceLinks: false },
    status: { phase: 'Running' },
  })
})

async function run(
  options: ParsedOptions & { readonly output?: string },
  { terminal = false } = {},
): Promise<{ code: number | undefined; out: string; err: string }> {
  const [out, err] = [new Output(terminal ? { columns: 80 } : undefined), new Output()]
  const global = { namespace, context: undefined, kubeconfig: undefined, systemNamespace: 'intercept-system' }
  const given = { target: 'pod/orders-1', output: 'dotenv', ...options }
  const context = { ui: new Ui(outputFormatOf(given.output), out, err), global, rest: [], kube: async () => kube }
  const code = await env.run(context, given)
  return { code, out: out.text, err: plain(err.text) }
}

test('in a pipe Secrets are as they are', async () => {
  const { code, out, err } = await run({})
  expect(code).toBe(0)
  expect(out).toBe("LINES='a\nb'\nPASSWORD=hidden\nSTEERS='x\x1b]0;title\x07'\nURL=db://u:hidden@db\n")
  expect(err).toBe('')
})

test('on a terminal they are masked, with what quotes them, until asked for; nothing steers it', async () => {
  const masked = await run({}, { terminal: true })
  expect(masked.out).toBe("LINES='a\nb'\nPASSWORD='••••••'\nSTEERS='x]0;title'\nURL='••••••'\n")
  const json = await run({ output: 'json' }, { terminal: true })
  expect(JSON.parse(json.out)).toMatchObject({ PASSWORD: '••••••', LINES: 'a\nb' })
  const shown = await run({ 'show-secrets': true }, { terminal: true })
  expect(shown.out).toContain('PASSWORD=hidden')
})

test('what this machine says wins and is no secret', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'intercept-env-')), '.env')
  writeFileSync(file, 'PASSWORD=mine\nLINES=one')
  const { out } = await run({ 'env-file': [file], set: ['URL=mine'], unset: ['STEERS'] }, { terminal: true })
  expect(out).toBe('LINES=one\nPASSWORD=mine\nURL=mine\n')
  await expect(run({ 'env-file': [`${file}.none`] })).rejects.toMatchObject({ code: 'bad-env-file' })
  await expect(run({ set: ['x'] })).rejects.toMatchObject({ code: 'bad-variable' })
})

test('what cannot be written or read is told on stderr, never with its value', async () => {
  kube.before = (_verb, type) => {
    if (type.plural === 'secrets') throw new KubeError('forbidden', 'You may not get secrets in namespace shop.')
  }
  const docker = await run({ output: 'docker' })
  expect(docker.out).toBe('STEERS=x\x1b]0;title\x07\n')
  expect(docker.err).toContain('LINES is left out: an env-file of Docker has no newlines')
  expect(docker.err).toContain('PASSWORD is missing: You may not get secrets in namespace shop')
  expect(docker.err).toContain('URL is missing')
  const json = await run({ set: ['PASSWORD=mine'], output: 'json' })
  expect(JSON.parse(json.out)).toMatchObject({ PASSWORD: 'mine', LINES: 'a\nb' })
  expect(JSON.parse(json.err)).toMatchObject({
    event: 'warning',
    code: 'missing',
    message: expect.stringMatching(/^URL/),
  })
})
