import { beforeAll, expect, test } from 'vitest'
import type { Secret } from '../../src/kube/objects.ts'
import { roleBindings, roles, secrets } from '../../src/kube/resources.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { createCa, issueServingCertificate, type ServingCertificate } from '../../src/pki/index.ts'
import { PROXY_NAME } from '../../src/resource/names.ts'
import type { SecureAnswer, SecureInput } from './apps/caller-https.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore, snapshot } from './support/snapshot.ts'
import { until } from './support/until.ts'
import { deploy, expose } from './support/workload.ts'

const s = scenario()
let before: object
const local = () => `${s.local.ports.http}:https`

beforeAll(async () => {
  const ca = await createCa('shop')
  const certificateFor = (name: string) => issueServingCertificate(ca, { dnsNames: [name], ips: [] })
  // Two of them, to see who ends TLS.
  const [ofPods, ofSecret] = await Promise.all([certificateFor('of-pods'), certificateFor('of-secret')])
  await deploy(s.kube, s.namespace, 'secured', {
    script: 'app',
    env: { TLS_CERT: ofPods.cert, TLS_KEY: ofPods.key },
  })
  await expose(s.kube, s.namespace, 'secured', {
    ports: [{ name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' }],
  })
  await putSecret('secured-tls', ofSecret)
  await putSecret('closed-tls', ofSecret)
  await letProxiesRead('secured-tls')
  before = await snapshot(s.kube, s.namespace)
}, 120_000)

const base64 = (text: string): string => Buffer.from(text).toString('base64')

async function putSecret(name: string, { cert, key }: ServingCertificate): Promise<void> {
  await s.kube.create<Secret>(secrets, {
    metadata: { name, namespace: s.namespace },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(cert), 'tls.key': base64(key) },
  })
}

/** This one Secret, and no other. */
async function letProxiesRead(secret: string): Promise<void> {
  const metadata = { name: `intercept-${secret}`, namespace: s.namespace }
  await s.kube.create<KubeObject & { rules: object[] }>(roles, {
    metadata,
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [secret], verbs: ['get'] }],
  })
  await s.kube.create<KubeObject & { roleRef: object; subjects: object[] }>(roleBindings, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', name: PROXY_NAME, namespace: 'intercept-system' }],
  })
}

const ask = async (headers: Record<string, string>, more: Partial<SecureInput> = {}): Promise<SecureAnswer> =>
  s.caller.call('getSecure', { ...(await s.at('secured', 443)), servername: 'secured.example', headers, ...more })

/** Waits until TLS is ended by whoever shows that certificate, eight times in a row. */
async function shown(certificate: string): Promise<void> {
  let inRow = 0
  await until(`a certificate ${certificate}`, async () => {
    inRow = (await ask({})).certificate === certificate ? inRow + 1 : 0
    return inRow >= 8
  })
}

test('requests within TLS go where they belong, and nobody else notices but by the certificate', async () => {
  await shown('of-pods')
  const { run } = await s.intercept('svc/secured', '--port', local(), '--as', 'ada', '--tls-secret', 'secured-tls')
  await shown('of-secret')
  expect(await ask({ 'x-intercept': 'ada' })).toEqual({ who: 'laptop', certificate: 'of-secret' })
  expect(await ask({})).toEqual({ who: expect.stringMatching(/^secured-/), certificate: 'of-secret' })
  expect(await ask({}, { http2: true })).toEqual({ who: expect.stringMatching(/^secured-/), certificate: 'of-secret' })
  expect(await run.interrupt()).toBe(0)
  await shown('of-pods')
  await expectAsBefore(s.kube, s.namespace, before)
})

test('a Secret that the proxy pods may not read: she is told, and nothing stays', async () => {
  const run = s.cli('svc/secured', '--port', local(), '--as', 'ada', '--tls-secret', 'closed-tls')
  const { error } = (await run.until('error')) as unknown as { error: object }
  expect(error).toMatchObject({
    code: 'tls-not-ready',
    message: `the proxy pods may not read Secret ${s.namespace}/closed-tls`,
    fix: 'intercept install --tls-secrets',
  })
  expect((await run.ended).code).toBe(8)
  await expectAsBefore(s.kube, s.namespace, before)
})

test.each([
  [['--as', 'ada', '--tls-secret', 'no-such-tls'], 'secret-not-found', 8],
  [['--tls-secret', 'secured-tls'], 'usage', 2],
  [['--as', 'ada', '--tls-local'], 'usage', 2],
])('%j is refused before anything changes', async (flags, code, exit) => {
  const run = s.cli('svc/secured', '--port', local(), ...flags)
  const { error } = (await run.until('error')) as unknown as { error: { fix: string } }
  expect(error).toMatchObject({ code })
  expect(error.fix).toBeTruthy()
  expect((await run.ended).code).toBe(exit)
})
