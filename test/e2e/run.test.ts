import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkTwin } from '../../cli/outbound/twin/why-no-twin.ts'
import type { ConfigMap, Secret, Service } from '../../src/kube/objects.ts'
import { configMaps, pods, secrets, services } from '../../src/kube/resources.ts'
import { connectionType } from '../../src/resource/connection.ts'
import { RUN_VARIABLE, runCli, withOptions } from './support/cli.ts'
import { isEmbedded } from './support/cluster.ts'
import { leftovers } from './support/leftovers.ts'
import { isReady, proxyPods } from './support/proxy-pods.ts'
import { runNode } from './support/run-node.ts'
import type { ProgramRun } from './support/run-program.ts'
import { scenario } from './support/scenario.ts'
import { until } from './support/until.ts'
import { appPorts, deploy, expose, podsOf } from './support/workload.ts'

const hasTwin = await checkTwin().then(
  () => true,
  () => false,
)
const kinds = [...(hasTwin ? ['twin'] : []), 'portable']
const s = scenario({ orders: {} })

/** `svc/config` has what a program could look for. */
beforeAll(async () => {
  const { kube, namespace } = s
  await kube.create<ConfigMap>(configMaps, {
    metadata: { name: 'settings', namespace },
    data: { 'app.json': '{"one":1}' },
  })
  await kube.create<Secret>(secrets, {
    metadata: { name: 'passwords', namespace },
    data: { db: Buffer.from('s3cret').toString('base64') },
  })
  await deploy(kube, namespace, 'config', {
    script: 'app',
    container: {
      env: [
        { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'passwords', key: 'db' } } },
        { name: 'ORDERS_URL', value: 'http://orders/' },
        { name: 'PATH_OF_POD', value: '/app/bin' },
      ],
    },
    mounts: [
      { mountPath: '/etc/config-of-pod', volume: { configMap: { name: 'settings' } } },
      { mountPath: '/run/passwords', volume: { secret: { secretName: 'passwords' } } },
    ],
  })
  await expose(kube, namespace, 'config')
  await expose(kube, namespace, 'peers', {
    selector: { app: 'orders' },
    clusterIP: 'None',
    ports: [{ name: 'http', port: appPorts.http, targetPort: 'http', protocol: 'TCP' }],
  })
  await expose(kube, namespace, 'udp', {
    selector: { app: 'orders' },
    ports: [
      { name: 'udp', port: 53_053, targetPort: 'udp', protocol: 'UDP' },
      { name: 'tcp', port: 9000, targetPort: 'tcp', protocol: 'TCP' },
    ],
  })
  await expose(kube, namespace, 'partner', {
    type: 'ExternalName',
    externalName: `orders.${namespace}.svc.cluster.local`,
    selector: {},
  })
}, 120_000)

/** On the laptop where there is one: the twin is made in its network. Nothing is left of it. */
const node = (args: readonly string[], script: string): Promise<ProgramRun> =>
  runNode([...args, '-n', s.namespace], script, {
    kubeconfig: s.cluster.driver.laptopKubeconfig ?? s.kubeconfig,
    prefix: s.cluster.driver.laptop,
  })

const argsOf = (kind: string, ...more: string[]): string[] => [
  'run',
  'svc/config',
  ...(kind === 'portable' ? ['--portable'] : []),
  ...more,
]

/** What lies under a path of the pod. */
const inPod = "const at = (path) => (process.env.INTERCEPT_ROOT ?? '') + path;"

afterAll(async () => {
  expect(await s.kube.list(connectionType, { namespace: s.namespace })).toEqual([])
})

describe.each(kinds)('intercept run, %s', (kind) => {
  test("has the pod's environment, over that of this machine", async () => {
    const { code, said, stderr } = await node(
      argsOf(kind, '--set', 'MINE=here', '--unset', 'PATH_OF_POD'),
      "say('env', process.env); process.exitCode = 7",
    )
    expect(code, stderr).toBe(7)
    expect(said.env).toMatchObject({
      DB_PASSWORD: 's3cret',
      MINE: 'here',
      PATH: process.env.PATH,
      POD_NAME: expect.stringMatching(/^config-/),
      CONFIG_SERVICE_HOST: expect.any(String),
    })
    expect(said.env).not.toHaveProperty('PATH_OF_POD')
    if (kind === 'twin') expect(said.env).toMatchObject({ ORDERS_URL: 'http://orders/' })
    else expect(said.env).toMatchObject({ ORDERS_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/) })
    expect(stderr).toMatch(/runs as in config-.*, container main: \d+ variables, 4 mounts/)
    expect(stderr).not.toContain('s3cret')
  })

  test("has the pod's files, which follow the cluster", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'intercept-run-test-'))
    const marker = join(folder, 'read')
    const running = node(
      argsOf(kind),
      `${inPod}
      const read = (path) => fs.readFileSync(at(path), 'utf8')
      say('settings', read('/etc/config-of-pod/app.json'))
      say('password', read('/run/passwords/db'))
      const account = '/var/run/secrets/kubernetes.io/serviceaccount/'
      say('namespace', read(account + 'namespace'))
      const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
      const headers = { authorization: 'Bearer ' + read(account + 'token') }
      const ca = read(account + 'ca.crt')
      say('api', await outcome(new Promise((resolve, reject) => require('node:https').get({ host, port, path: '/version', ca, headers }, (answer) => { answer.resume(); resolve(answer.statusCode) }).on('error', reject))))
      fs.writeFileSync(${JSON.stringify(marker)}, '')
      while (read('/etc/config-of-pod/app.json') !== '{"two":2}') await new Promise((resolve) => setTimeout(resolve, 50))`,
    )
    await Promise.race([running, until('the program has read', async () => existsSync(marker))])
    await s.kube.patch(configMaps, s.namespace, 'settings', { data: { 'app.json': '{"two":2}' } }, { type: 'merge' })
    expect(await running).toMatchObject({
      code: 0,
      said: { settings: '{"one":1}', password: 's3cret', namespace: s.namespace, api: 200 },
    })
    await s.kube.patch(configMaps, s.namespace, 'settings', { data: { 'app.json': '{"one":1}' } }, { type: 'merge' })
    rmSync(folder, { recursive: true })
  })

  test('finds names as a pod does, and their errors', async () => {
    const { said } = await node(
      argsOf(kind),
      `const { lookup, resolveSrv, resolve4 } = require('node:dns').promises
      const address = (name) => outcome(lookup(name).then(({ address }) => address))
      const names = ['orders', 'orders.${s.namespace}', 'orders.${s.namespace}.svc', 'orders.${s.namespace}.svc.cluster.local']
      say('short', await Promise.all(names.map(address)))
      say('partner', await address('partner'))
      say('peers', (await outcome(resolve4('peers.${s.namespace}.svc.cluster.local'))).length)
      const srv = await outcome(resolveSrv('_http._tcp.peers.${s.namespace}.svc.cluster.local'))
      say('srv', Array.isArray(srv) ? [...new Set(srv.map(({ port }) => port))] : srv)
      say('nosuch', await address('no-such-name'))
      say('fetched', await outcome(fetch('http://orders/').then((answer) => answer.headers.get('x-who'))))
      say('viaPartner', await outcome(fetch('http://partner/').then((answer) => answer.headers.get('x-who'))))
      say('viaPeers', await outcome(fetch('http://peers:${appPorts.http}/').then((answer) => answer.headers.get('x-who'))))`,
    )
    const service = await s.kube.get<Service>(services, s.namespace, 'orders')
    expect(new Set(said.short as string[])).toEqual(new Set([service.spec.clusterIP]))
    expect(said).toMatchObject({
      partner: service.spec.clusterIP,
      peers: 2,
      srv: [appPorts.http],
      nosuch: 'ENOTFOUND',
      fetched: expect.stringMatching(/^orders-/),
      viaPartner: expect.stringMatching(/^orders-/),
      viaPeers: expect.stringMatching(/^orders-/),
    })
  })

  test('its connections are those of the pod: who speaks first, half-close, what refuses, many at once', async () => {
    const { said } = await node(
      argsOf(kind),
      `const { connect } = require('node:net')
      const talk = () => new Promise((resolve, reject) => {
        const socket = connect({ host: 'udp', port: 9000, allowHalfOpen: true })
        let got = ''
        socket.on('error', reject)
        socket.on('data', (chunk) => { got += chunk; if (got.includes('ready') && !got.includes(': ')) socket.end('hello\\n') })
        socket.on('end', () => resolve(got))
      })
      say('talk', await outcome(talk()))
      const [peer] = (await require('node:dns').promises.resolve4('peers.${s.namespace}.svc.cluster.local'))
      say('refused', await outcome(new Promise((resolve, reject) => connect(4, peer, resolve).on('error', reject))))
      const many = await Promise.all(Array.from({ length: ${isEmbedded ? 300 : 1000} }, () => outcome(talk())))
      const wrong = many.filter((text) => !/ready[^]*: hello[^]*bye/.test(text))
      say('many', many.length - wrong.length)
      say('wrong', wrong.slice(0, 3))`,
    )
    expect(said.talk).toMatch(/^220 orders-\S+ ready\norders-\S+: hello\nbye orders-\S+\n$/)
    expect(said.refused).toBe('ECONNREFUSED')
    expect(said.wrong).toEqual([])
    expect(said.many).toBe(isEmbedded ? 300 : 1000)
  })
})

describe.skipIf(!hasTwin)('in a twin', () => {
  test('datagrams reach a Service, and come back from it', async () => {
    const { said } = await node(
      argsOf('twin'),
      `const socket = require('node:dgram').createSocket('udp4')
      say('answer', await outcome(new Promise((resolve, reject) => {
        socket.on('error', reject)
        socket.on('message', (message) => resolve(String(message)))
        socket.connect(53053, 'udp', (error) => (error ? reject(error) : socket.send('hello')))
      })))
      socket.close()`,
    )
    expect(said.answer).toMatch(/^orders-\S+: hello$/)
  })

  test('two run side by side, each with its own', async () => {
    const runs = await Promise.all(
      ['one', 'two'].map((name) =>
        node(
          argsOf('twin', '--set', `NAME=${name}`),
          `const server = require('node:http').createServer((_, response) => response.end(process.env.NAME))
          await new Promise((resolve) => server.listen(18080, '127.0.0.1', resolve))
          say('own', await (await fetch('http://127.0.0.1:18080/')).text())
          say('who', (await fetch('http://orders/')).headers.get('x-who'))
          server.close()
          server.closeAllConnections()`,
        ),
      ),
    )
    expect(runs.map(({ said }) => said.own)).toEqual(['one', 'two'])
    for (const { said } of runs) expect(said.who).toMatch(/^orders-/)
  })

  test('goes on when pods and proxy pods are replaced', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'intercept-run-test-'))
    const marker = join(folder, 'asked')
    const running = node(
      argsOf('twin', '--set', `FOLDER=${folder}`),
      `const ask = () => outcome(fetch('http://orders/').then((answer) => answer.headers.get('x-who')))
      say('first', await ask())
      fs.writeFileSync(process.env.FOLDER + '/asked', '')
      while (!fs.existsSync(process.env.FOLDER + '/go-on')) await new Promise((resolve) => setTimeout(resolve, 50))
      let last
      for (let tries = 0; tries < 50 && !/^orders-/.test(last = await ask()); tries += 1) await new Promise((resolve) => setTimeout(resolve, 100))
      say('last', last)`,
    )
    await Promise.race([running, until('the program has asked', async () => existsSync(marker))])
    const origin = await podsOf(s.kube, s.namespace, 'orders')
    const gone = [...origin, ...(await proxyPods(s.kube)).slice(0, 1)]
    for (const { metadata } of gone) {
      await s.kube.delete(pods, metadata.namespace, metadata.name, { gracePeriodSeconds: 0 })
    }
    const names = new Set(gone.map(({ metadata }) => metadata.uid))
    await until('their successors', async () => {
      const now = [...(await podsOf(s.kube, s.namespace, 'orders')), ...(await proxyPods(s.kube))]
      return now.length >= 4 && now.every((pod) => isReady(pod) && !names.has(pod.metadata.uid))
    })
    writeFileSync(join(folder, 'go-on'), '')
    const { said } = await running
    expect(said).toEqual({ first: expect.stringMatching(/^orders-/), last: expect.stringMatching(/^orders-/) })
    rmSync(folder, { recursive: true })
  })

  test('the program is the local process of an intercept, and localhost leads to it', async () => {
    const script = `require('node:http').createServer(async (_, response) => {
      response.setHeader('x-who', 'in the twin')
      response.end((await fetch('http://peers:${appPorts.http}/')).headers.get('x-who'))
    }).listen(8080, '127.0.0.1')`
    const run = s.cli(
      'svc/orders',
      '-p',
      '8080',
      '--wait',
      '20s',
      '-n',
      s.namespace,
      '--',
      process.execPath,
      '-e',
      script,
    )
    await run.until('active')
    await s.settled('orders', 'in the twin')
    const { said } = await node(argsOf('twin'), "say('answer', await (await fetch('http://orders/')).text())")
    expect(said.answer).toMatch(/^orders-/)
    if (s.cluster.driver.laptop.length === 0) {
      const [answer] = (await once(http.get('http://127.0.0.1:8080/'), 'response')) as [http.IncomingMessage]
      expect(answer.headers['x-who']).toBe('in the twin')
      answer.resume()
    }
    await run.until('listening', ({ port }) => port === 8080)
    expect(await run.interrupt()).toBe(0)
    await s.settled('orders', /^orders-/)
  })

  test('a program that ends before it listens ends the wait for it, and nothing is intercepted', async () => {
    const where = ['-p', '8080', '--wait', '5m', '-n', s.namespace]
    const run = s.cli('svc/orders', ...where, '--', process.execPath, '-e', 'process.exitCode = 3')
    expect((await run.ended).code).toBe(3)
    expect(run.output).toContain('"code":"command-ended"')
    expect(run.output).not.toContain('"event":"created"')
  })

  test('Ctrl-C ends the program and everything else, also what it has started', async () => {
    const script =
      "process.on('SIGINT', () => process.exit(3)); require('node:child_process').spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }).unref(); console.log(JSON.stringify({ event: 'up' })); setInterval(() => {}, 1000)"
    const run = s.cli('run', 'svc/config', '--', process.execPath, '-e', script)
    await run.until('up')
    run.child.kill('SIGINT')
    expect((await run.ended).code).toBe(3)
    expect(leftovers(run.id)).toEqual([])
  })

  test('the command line is killed: the program and the namespaces end with it', async () => {
    const script = "console.log(JSON.stringify({ event: 'up' })); setInterval(() => {}, 1000)"
    const run = s.cliHere('run', 'svc/config', '--', process.execPath, '-e', script)
    await run.until('up')
    run.child.kill('SIGKILL')
    await run.ended
    await until('nobody in the namespace', async () => leftovers(run.id).every((one) => one.startsWith('folder')))
    // The next one takes away its folder; the proxy pods its Connection, when it is not renewed.
    await node(argsOf('twin'), 'say(1, 1)')
    for (const { metadata } of await s.kube.list(connectionType, { namespace: s.namespace })) {
      await s.kube.delete(connectionType, metadata.namespace, metadata.name)
    }
  })
})

test('where no twin can be made, that is told, and the command finds the cluster by its environment', async () => {
  const script = "fetch('http://orders/').then((answer) => console.log(answer.headers.get('x-who')))"
  // No unshare to be found.
  const asked = await runCli(['run', 'svc/config', '-n', s.namespace, '--', process.execPath, '-e', script], {
    kubeconfig: s.kubeconfig,
    env: { PATH: '/nonexistent' },
    format: 'text',
  })
  expect(asked.stdout, asked.stderr).toMatch(/^orders-/)
  expect(asked.stderr).toMatch(/no namespaces of Linux here.*: (there is no program `unshare`|only Linux)/)
})

test('connect -- command is in the cluster, without what a pod has', async () => {
  const { said } = await node(
    ['connect'],
    "say('who', (await fetch('http://orders/')).headers.get('x-who')); say('password', process.env.DB_PASSWORD ?? null)",
  )
  expect(said).toEqual({ who: expect.stringMatching(/^orders-/), password: null })
})

test.each([
  [['run', 'svc/no-such-service', '--', 'true'], /no Service no-such-service|does not exist/],
  [['run', 'svc/config', '--container', 'side', '--', 'true'], /no container side.*main/s],
  [['run', 'svc/config', '--', 'no-such-program'], /no-such-program could not be started/],
  [['connect', '--hosts', '--', 'true'], /--hosts and --listen/],
])('intercept %j says what is wrong, and leaves nothing', async (args, message) => {
  const id = randomUUID()
  const asked = await runCli(withOptions(args, '-n', s.namespace), {
    kubeconfig: s.kubeconfig,
    env: { [RUN_VARIABLE]: id },
    format: 'text',
  })
  expect(asked.code).not.toBe(0)
  expect(asked.stderr).toMatch(message)
  expect(leftovers(id)).toEqual([])
})
