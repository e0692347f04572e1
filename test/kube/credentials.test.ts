import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { inClusterAccess } from '../../src/kube/config/in-cluster.ts'
import { kubeconfigAccess } from '../../src/kube/config/kubeconfig-access.ts'
import { expiryOf } from '../../src/kube/config/oidc.ts'
import { tokenFile } from '../../src/kube/config/token-file.ts'
import { createCa, issueServingCertificate } from '../../src/pki/index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intercept-credentials-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function kubeconfigFor(user: object): string {
  const file = join(folder, 'config')
  const config = {
    'current-context': 'dev',
    clusters: [{ name: 'c', cluster: { server: 'https://api', 'certificate-authority-data': 'Q0E=' } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'dev', context: { cluster: 'c', user: 'u' } }],
  }
  writeFileSync(file, `# mine, do not lose this line\n${stringify(config)}`)
  return file
}

/** A credential plugin: counts its runs, and says what `answer` evaluates to. */
function plugin(answer: string): string {
  const file = join(folder, 'plugin.mjs')
  writeFileSync(
    file,
    `#!${process.execPath}
import { appendFileSync } from 'node:fs'
appendFileSync(${JSON.stringify(join(folder, 'runs'))}, process.env.KUBERNETES_EXEC_INFO + '\\n')
const now = (ms) => new Date(Date.now() + ms).toISOString()
${answer}
`,
  )
  chmodSync(file, 0o755)
  return file
}

const runs = () => readFileSync(join(folder, 'runs'), 'utf8').trim().split('\n')

describe('a token file', () => {
  it('is read again when it is old, or was refused', async () => {
    const file = join(folder, 'token')
    writeFileSync(file, 'one\n')
    let now = 0
    const token = tokenFile(file, () => now)
    expect(await token(false)).toBe('one')
    writeFileSync(file, 'two')
    expect(await token(false)).toBe('one')
    expect(await token(true)).toBe('two')
    writeFileSync(file, 'three')
    now = 61_000
    expect(await token(false)).toBe('three')
    rmSync(file)
    now = 200_000
    expect(await token(false)).toBe('three')
    await expect(token(true)).rejects.toMatchObject({ code: 'credentials-expired' })
  })
})

describe('a credential plugin', () => {
  it('runs once until what it said expires, also for two who ask at once', async () => {
    const command = plugin(
      `console.log(JSON.stringify({ status: { token: 'tok', expirationTimestamp: now(3600_000) } }))`,
    )
    const access = kubeconfigAccess({
      kubeconfig: kubeconfigFor({
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command,
          provideClusterInfo: true,
          interactiveMode: 'Never',
        },
      }),
    })
    const both = await Promise.all([access.credentials(false), access.credentials(false)])
    expect(both.map(({ headers }) => headers.authorization)).toEqual(['Bearer tok', 'Bearer tok'])
    await access.credentials(false)
    expect(runs()).toHaveLength(1)
    expect(JSON.parse(runs()[0] ?? '')).toEqual({
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
      spec: { interactive: false, cluster: { server: 'https://api', 'certificate-authority-data': 'Q0E=' } },
    })
    await access.credentials(true)
    expect(runs()).toHaveLength(2)
  })

  it('runs again when its answer is about to expire, is found beside the kubeconfig, and may give a certificate', async () => {
    plugin(
      `console.log(JSON.stringify({ status: { clientCertificateData: 'CERT', clientKeyData: 'KEY' + process.env.EXTRA, expirationTimestamp: now(1000) } }))`,
    )
    const exec = { command: './plugin.mjs', env: [{ name: 'EXTRA', value: '!' }], interactiveMode: 'Never' }
    const access = kubeconfigAccess({ kubeconfig: kubeconfigFor({ exec }) })
    expect(await access.credentials(false)).toMatchObject({ cert: 'CERT', key: 'KEY!', headers: {} })
    await access.credentials(false)
    expect(runs()).toHaveLength(2)
  })

  it.each([
    ['fails', `process.exit(3)`, /status 3/],
    ['talks nonsense', `console.log('hello')`, /not an ExecCredential/],
  ])('that %s is an expired login', async (_how, answer, message) => {
    const exec = { command: plugin(answer), interactiveMode: 'Never' }
    const access = kubeconfigAccess({ kubeconfig: kubeconfigFor({ exec }) })
    await expect(access.credentials(false)).rejects.toMatchObject({
      code: 'credentials-expired',
      message: expect.stringMatching(message),
    })
  })

  it('that is not installed says how to install it', async () => {
    const exec = { command: 'no-such-plugin-here', installHint: 'brew install it', interactiveMode: 'Never' }
    const access = kubeconfigAccess({ kubeconfig: kubeconfigFor({ exec }) })
    await expect(access.credentials(false)).rejects.toMatchObject({
      code: 'credentials-expired',
      message: expect.stringContaining('brew install it'),
    })
  })
})

describe('an OIDC login', () => {
  const jwt = (seconds: number) =>
    `e30.${Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + seconds })).toString('base64url')}.sig`

  it('is refreshed when it has expired, and kept for the next program', async () => {
    const ca = await createCa()
    const { cert, key } = await issueServingCertificate(ca, { dnsNames: ['localhost'], ips: ['127.0.0.1'] })
    const fresh = jwt(3600)
    const asked: string[] = []
    const issuer = https.createServer({ cert, key }, async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      asked.push(`${request.method} ${request.url} ${body}`)
      const base = `https://127.0.0.1:${(issuer.address() as AddressInfo).port}`
      const isToken = request.url === '/token'
      response.end(
        JSON.stringify(isToken ? { id_token: fresh, refresh_token: 'r2' } : { token_endpoint: `${base}/token` }),
      )
    })
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
    try {
      const config = {
        'client-id': 'kube',
        'client-secret': 's',
        'id-token': jwt(-10),
        'refresh-token': 'r1',
        'idp-issuer-url': `https://127.0.0.1:${(issuer.address() as AddressInfo).port}`,
        'idp-certificate-authority-data': Buffer.from(ca.cert).toString('base64'),
      }
      const kubeconfig = kubeconfigFor({ 'auth-provider': { name: 'oidc', config } })
      const access = kubeconfigAccess({ kubeconfig })
      expect((await access.credentials(false)).headers.authorization).toBe(`Bearer ${fresh}`)
      await access.credentials(false)
      expect(asked).toEqual([
        'GET /.well-known/openid-configuration ',
        'POST /token grant_type=refresh_token&refresh_token=r1&client_id=kube&client_secret=s',
      ])
      const text = readFileSync(kubeconfig, 'utf8')
      expect(text).toContain('# mine, do not lose this line')
      const kept = (parse(text) as { users: { user: { 'auth-provider': { config: Record<string, string> } } }[] })
        .users[0]
      expect(kept?.user['auth-provider'].config).toMatchObject({ 'id-token': fresh, 'refresh-token': 'r2' })
    } finally {
      issuer.close()
      issuer.closeAllConnections()
    }
  })

  it('that cannot be refreshed has expired', async () => {
    const config = { 'id-token': jwt(-10), 'idp-issuer-url': 'https://127.0.0.1:1' }
    const without = kubeconfigAccess({ kubeconfig: kubeconfigFor({ 'auth-provider': { name: 'oidc', config } }) })
    await expect(without.credentials(false)).rejects.toMatchObject({ code: 'credentials-expired' })
    const unreachable = { ...config, 'refresh-token': 'r' }
    const access = kubeconfigAccess({
      kubeconfig: kubeconfigFor({ 'auth-provider': { name: 'oidc', config: unreachable } }),
    })
    await expect(access.credentials(false)).rejects.toMatchObject({ code: 'credentials-expired' })
  })

  it('is known to expire only by its own word', () => {
    expect(expiryOf(jwt(60))).toBeGreaterThan(Date.now())
    expect(expiryOf('no jwt')).toBe(0)
    expect(expiryOf('a.b.c')).toBe(0)
  })
})

describe('in a pod', () => {
  it('is the service account', async () => {
    for (const [name, content] of [
      ['token', 'sa\n'],
      ['ca.crt', 'CA'],
      ['namespace', 'intercept-system\n'],
    ] as const) {
      writeFileSync(join(folder, name), content)
    }
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
    const access = await inClusterAccess({ serviceAccountDir: folder, env })
    expect(access).toMatchObject({
      server: 'https://[fd00::1]:443',
      context: 'in-cluster',
      namespace: 'intercept-system',
    })
    expect((await access.credentials(false)).headers).toEqual({ authorization: 'Bearer sa' })
  })

  it('says so where there is none', async () => {
    await expect(inClusterAccess({ serviceAccountDir: folder, env: {} })).rejects.toMatchObject({
      code: 'kubeconfig-missing',
    })
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }
    await expect(inClusterAccess({ serviceAccountDir: folder, env })).rejects.toMatchObject({
      fix: expect.stringContaining('automountServiceAccountToken'),
    })
  })
})
