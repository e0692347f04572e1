import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import type { EndpointSlice } from '../../src/kube/objects.ts'
import { endpointSlices, pods, services } from '../../src/kube/resources.ts'
import { connectionType } from '../../src/resource/connection.ts'
import { runCli } from './support/cli.ts'
import { hasProgram } from './support/has-program.ts'
import { isReady, proxyPods } from './support/proxy-pods.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'
import { until } from './support/until.ts'
import { expose } from './support/workload.ts'

const s = scenario({ orders: {}, db: { clusterIP: 'None' } })

afterEach(async () => {
  await s.endRuns()
  expect(await s.kube.list(connectionType, { namespace: s.namespace })).toEqual([])
  await expectAsBefore(s.kube, s.namespace, s.before)
}, 60_000)

async function connected(...args: string[]): Promise<{ run: ReturnType<typeof s.cliHere>; port: number }> {
  const run = s.cliHere('connect', ...args)
  const { port } = await run.until('active')
  return { run, port: Number(port) }
}

/** `curl` through one of the proxies. */
async function curl(
  proxy: string,
  url: string,
  ...args: string[]
): Promise<{ code: number | null; out: string; error: string }> {
  const child = spawn('curl', ['-sS', '--max-time', '30', '--noproxy', '', '-x', proxy, ...args, url])
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number | null, out, error }
}

const socks = (port: number) => `socks5h://127.0.0.1:${port}`
const plain = (port: number) => `http://127.0.0.1:${port}`

/** Node, in absolute form. */
async function ask(port: number, url: string): Promise<{ status: number | undefined; who: string; body: string }> {
  const { host } = new URL(url)
  const request = http.get({ host: '127.0.0.1', port, path: url, headers: { host }, agent: false })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return { status: response.statusCode, who: String(response.headers['x-who'] ?? ''), body: await text(response) }
}

describe.skipIf(!hasProgram('curl'))('curl and Node', () => {
  test('reach a Service by each of its names and its address, through both proxies', async () => {
    const { run, port } = await connected()
    const { spec } = await s.kube.get<{ metadata: { name: string }; spec: { clusterIP: string } }>(
      services,
      s.namespace,
      'orders',
    )
    const names = ['orders', `orders.${s.namespace}`, `orders.${s.namespace}.svc`, spec.clusterIP]
    for (const name of [...names, `orders.${s.namespace}.svc.cluster.local`]) {
      for (const [proxy, ...args] of [[socks(port)], [plain(port)], [plain(port), '--proxytunnel']]) {
        const { out, error } = await curl(proxy ?? '', `http://${name}/`, '-D', '-', ...args)
        expect(error, name).toBe('')
        expect(out, name).toMatch(/x-who: orders-/i)
      }
      expect((await ask(port, `http://${name}/`)).who).toMatch(/^orders-/)
    }
    const large = await curl(
      socks(port),
      'http://orders/download?bytes=20000000',
      '-o',
      '/dev/null',
      '-w',
      '%{size_download}',
    )
    expect(large.out).toBe('20000000')
    expect(await run.interrupt()).toBe(0)
  })

  test('reach the pods of a headless Service, on the port that they listen on', async () => {
    const { run, port } = await connected()
    const slices = await s.kube.list<EndpointSlice>(endpointSlices, {
      namespace: s.namespace,
      labelSelector: 'kubernetes.io/service-name=db',
    })
    const listens = slices[0]?.ports?.[0]?.port
    const [address] = slices[0]?.endpoints?.[0]?.addresses ?? []
    expect((await ask(port, `http://db:${listens}/`)).who).toMatch(/^orders-/)
    expect((await ask(port, `http://${address?.replaceAll('.', '-')}.db:${listens}/`)).who).toMatch(/^orders-/)
    expect(await run.interrupt()).toBe(0)
  })

  test('are told why where they do not', async () => {
    await expose(s.kube, s.namespace, 'alias', { type: 'ExternalName', externalName: 'orders', selector: {} })
    const { run, port } = await connected()
    const refused = await curl(socks(port), 'http://orders:81/')
    expect(refused.error).toMatch(/\(5\)/)
    expect((await curl(socks(port), 'http://no-such-name/')).error).toMatch(/\(4\)/)
    expect((await curl(socks(port), 'http://kubernetes.default/')).error).toMatch(/\(2\)/)
    expect(await ask(port, 'http://orders:81/')).toMatchObject({
      status: 502,
      body: expect.stringContaining('no TCP port 81'),
    })
    expect(await ask(port, 'http://no-such-name/')).toMatchObject({
      status: 502,
      body: expect.stringContaining('does not exist'),
    })
    for (const url of [
      'http://kubernetes.default/',
      'http://203.0.113.1/',
      'http://alias/',
      'http://169.254.169.254/',
    ]) {
      expect(await ask(port, url), url).toMatchObject({ status: 403 })
    }
    await run.until('warning', ({ code }) => code === 'not-connected')
    expect(await run.interrupt()).toBe(0)
    await s.kube.delete(services, s.namespace, 'alias')
  })

  test('reach other namespaces with --reach anywhere, and never what is denied', async () => {
    const other = await s.cluster.createNamespace()
    await expose(s.kube, s.namespace, 'alias', {
      type: 'ExternalName',
      externalName: `orders.${s.namespace}.svc.cluster.local`,
      selector: {},
    })
    const run = s.cliHere('connect', '--reach', 'anywhere', '-n', other)
    const { port } = await run.until('active')
    const at = Number(port)
    expect((await ask(at, `http://orders.${s.namespace}/`)).who).toMatch(/^orders-/)
    expect((await ask(at, `http://alias.${s.namespace}.svc/`)).who).toMatch(/^orders-/)
    expect(await ask(at, 'http://169.254.169.254/')).toMatchObject({ status: 403 })
    expect(await run.interrupt()).toBe(0)
    await s.kube.delete(services, s.namespace, 'alias')
  })

  test('200 connections at once', async () => {
    const { run, port } = await connected()
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(port, 'http://orders/')))
    expect(answers.filter(({ who }) => who.startsWith('orders-'))).toHaveLength(200)
    expect(await run.interrupt()).toBe(0)
  })
})

test('goes on when the proxy pods are replaced', { timeout: 120_000 }, async () => {
  const { run, port } = await connected()
  expect((await ask(port, 'http://orders/')).who).toMatch(/^orders-/)
  const before = await proxyPods(s.kube)
  const [first] = before
  if (!first) throw new Error('no proxy pod')
  await s.kube.delete(pods, first.metadata.namespace, first.metadata.name, { gracePeriodSeconds: 0 })
  await until('an answer', async () =>
    ask(port, 'http://orders/').then(
      ({ who }) => who.startsWith('orders-'),
      // On its way when the pod was killed.
      () => false,
    ),
  )
  await until('both proxy pods', async () => {
    const now = await proxyPods(s.kube)
    return now.length === before.length && now.every((pod) => isReady(pod) && pod.metadata.uid !== first.metadata.uid)
  })
  expect((await ask(port, 'http://orders/')).who).toMatch(/^orders-/)
  expect(await run.interrupt()).toBe(0)
})

describe('a command', () => {
  const run = (...command: string[]) =>
    runCli(['connect', '--portable', '-n', s.namespace, '--', ...command], { kubeconfig: s.kubeconfig, format: 'text' })

  test.skipIf(!hasProgram('curl'))(
    'finds the proxies in its environment, and alone has stdout; its exit code is ours',
    async () => {
      const asked = await run(
        'sh',
        '-c',
        'curl -sS http://orders/ -o /dev/null -w "%{http_code} "; curl -sS -x "$ALL_PROXY" http://orders/ -o /dev/null -w "%{http_code}"; exit 7',
      )
      expect(asked).toMatchObject({ code: 7, stdout: '200 200' })
    },
  )

  test('that cannot be started is an error', async () => {
    expect(await run('/no/such/command')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('could not be started'),
    })
  })

  test('gets our signals', async () => {
    const script = "process.on('SIGTERM', () => process.exit(9)); console.log('up'); setInterval(() => {}, 1000)"
    const args = ['dist/cli.js', 'connect', '-n', s.namespace, '--', process.execPath, '-e', script]
    const child = spawn(process.execPath, args, { env: { ...process.env, KUBECONFIG: s.kubeconfig } })
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([9, null])
  })
})

test('prints lines that a shell reads', async () => {
  const child = spawn(process.execPath, ['dist/cli.js', 'connect', '-n', s.namespace], {
    env: { ...process.env, KUBECONFIG: s.kubeconfig },
  })
  let out = ''
  for await (const chunk of child.stdout) {
    out += chunk
    if (out.includes('NODE_USE_ENV_PROXY')) break
  }
  child.kill('SIGINT')
  await once(child, 'exit')
  const shell = spawn('sh', ['-c', `${out}\nprintf '%s %s' "$ALL_PROXY" "$NO_PROXY"`])
  expect(await text(shell.stdout)).toMatch(/^socks5h:\/\/127\.0\.0\.1:\d+ localhost,127\.0\.0\.1,::1/)
})

test.skipIf(process.platform !== 'linux')('with --hosts a Service answers on an address of this machine', async () => {
  await expose(s.kube, s.namespace, 'high', {
    selector: { app: 'orders' },
    ports: [{ port: 18_080, targetPort: 8080 }],
  })
  // kube-proxy needs a moment for a Service that is new.
  await s.answered('high', 18_080)
  const run = s.cliHere('connect', '--hosts')
  const { lines, add } = (await run.until('hosts')) as unknown as { lines: string[]; add: string }
  const [address] = lines.find((line) => line.includes(' high '))?.split(' ') ?? []
  expect(add).toContain(`${address} high high.${s.namespace} high.${s.namespace}.svc`)
  const response = await fetch(`http://${address}:18080/`)
  expect(response.headers.get('x-who')).toMatch(/^orders-/)
  await response.arrayBuffer()
  expect(await run.interrupt()).toBe(0)
  await expect(fetch(`http://${address}:18080/`)).rejects.toThrow()
  await s.kube.delete(services, s.namespace, 'high')
})

test.each([
  [['--reach', 'far'], 'usage'],
  [['--listen', 'x'], 'usage'],
])('connect %j is refused: %s', async (args, code) => {
  const run = s.cliHere('connect', ...args)
  const { error } = (await run.until('error')) as unknown as { error: { code: string } }
  expect(error.code).toBe(code)
})
