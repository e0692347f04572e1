import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkTwin } from '../../../cli/outbound/twin/why-no-twin.ts'
import type { EndpointSlice } from '../../../src/kube/objects.ts'
import { endpointSlices } from '../../../src/kube/resources.ts'
import { PodNetwork } from '../support/pod-network.ts'
import { proxyPods } from '../support/proxy-pods.ts'
import { runNode } from '../support/run-node.ts'
import type { ProgramRun } from '../support/run-program.ts'
import { scenario } from '../support/scenario.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { deploy, expose, podsOf } from '../support/workload.ts'

const hasTwin = await checkTwin().then(
  () => true,
  () => false,
)
const s = scenario()

/** A unique-local prefix (RFC 4193), new each time: the proxy pods remember for a while who had an address on their link. */
const prefix = `fd8e:${randomInt(0x1000, 0xffff).toString(16)}:${randomInt(0x1000, 0xffff).toString(16)}`
const server = `${prefix}::a`
const port = 8086
/** Of the proxy pods, as a program sees them. */
const proxies: string[] = []
const networks: PodNetwork[] = []
let running: ChildProcess | undefined

/** False where the pods' network is on another machine. */
let isNode = false
/** A look around before anything was changed. */
let before: ProgramRun | undefined

beforeAll(async () => {
  const { kube, namespace } = s
  await deploy(kube, namespace, 'six', { script: 'app' })
  await expose(kube, namespace, 'app', { selector: { app: 'six' } })
  const [application] = await podsOf(kube, namespace, 'six')
  const ofProxies = (await proxyPods(kube)).map((pod) => PodNetwork.find(pod))
  const ofApplication = application && PodNetwork.find(application)
  isNode = hasTwin && ofApplication !== undefined && ofProxies.every((found) => found !== undefined)
  if (!isNode || !ofApplication) return
  before = await node(looksAround)
  await ofApplication.add(`${server}/64`)
  networks.push(ofApplication)
  for (const [index, network] of ofProxies.entries()) {
    if (!network) continue
    const address = `${prefix}::${index + 1}`
    await network.add(`${address}/64`)
    networks.push(network)
    proxies.push(address)
  }
  running = ofApplication.start(
    process.execPath,
    join(import.meta.dirname, 'programs', 'server6.mjs'),
    server,
    String(port),
  )
  if (running.stdout) await once(running.stdout, 'data')
  await exposeSix()
}, 180_000)

afterAll(async () => {
  if (running) {
    const ended = once(running, 'exit')
    running.kill()
    await ended
  }
  for (const network of networks) await network.restore()
})

/** A Service whose name has an address of IPv6 only. */
async function exposeSix(): Promise<void> {
  const { kube, namespace } = s
  await expose(kube, namespace, 'db6', { clusterIP: 'None', selector: {}, ports: [{ name: 'http', port }] })
  await kube.create<EndpointSlice>(endpointSlices, {
    metadata: { name: 'db6-1', namespace, labels: { 'kubernetes.io/service-name': 'db6' } },
    addressType: 'IPv6',
    endpoints: [{ addresses: [server], conditions: { ready: true } }],
    ports: [{ name: 'http', port, protocol: 'TCP' }],
  })
}

const node = (script: string, env: Readonly<Record<string, string>> = {}): Promise<ProgramRun> =>
  runNode(['run', 'svc/app', '-n', s.namespace], script, {
    env,
    kubeconfig: s.cluster.driver.laptopKubeconfig ?? s.kubeconfig,
    prefix: s.cluster.driver.laptop,
  })

const connecting = `
  const { connect } = require('node:net')
  const dial = (host, port) => new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => { resolve(socket.remoteAddress); socket.destroy() })
    socket.once('error', (error) => resolve(error.code))
  })
`
const looksAround = `${connecting}
  const all = Object.values(require('node:os').networkInterfaces()).flat()
  say('addresses', all.filter((one) => one.family === 'IPv6' && !/^(::1$|fe80:)/.test(one.address)).map((one) => one.address))
  say('elsewhere', await dial('${server}', ${port}))
`

test('TCP: both ends are the real ones, by address and by name', async ({ skip }) => {
  if (!isNode) return skip("the pods' network is not at hand")
  const { said, code, stderr } = await node(`
    const get = (url) => fetch(url).then((response) => response.json())
    say('byAddress', await outcome(get('http://[${server}]:${port}/')))
    say('byName', await outcome(get('http://db6:${port}/')))
    say('name', await outcome(require('node:dns').promises.lookup('db6')))
    say('four', await outcome(get('http://orders/').then(({ who }) => who)))
  `)
  const reached = { from: expect.toSatisfy((from: string) => proxies.includes(from)), to: server }
  expect(said, stderr).toEqual({
    byAddress: reached,
    byName: reached,
    name: { address: server, family: 6 },
    four: expect.stringMatching(/^orders-/),
  })
  expect(code, stderr).toBe(0)
})

test('what is not reached fails as in the pod, and what nobody may reach is told', async ({ skip }) => {
  if (!isNode) return skip("the pods' network is not at hand")
  const { said, stderr } = await node(`${connecting}
    say('open', await dial('${server}', ${port}))
    say('refused', await dial('${server}', 1))
    say('nobody', await dial('${prefix}::dead', ${port}))
    say('noRoute', await dial('2001:db8:1::1', ${port}))
    say('metadata', await dial('fd00:ec2::254', 80))
    say('mappedMetadata', await dial('::ffff:169.254.169.254', 80))
    say('kubelet', await dial('${server}', 10250))
    say('localhost', await dial('::1', 1))
  `)
  expect(said, stderr).toEqual({
    open: server,
    refused: 'ECONNREFUSED',
    nobody: 'EHOSTUNREACH',
    noRoute: 'ENETUNREACH',
    metadata: 'EACCES',
    mappedMetadata: 'EHOSTUNREACH',
    kubelet: 'EACCES',
    localhost: 'ECONNREFUSED',
  })
  expect(stderr).toContain('[fd00:ec2::254]:80')
  expect(stderr).toContain("port 10250 is the kubelet's")
})

test('UDP: there and back, and refused', async ({ skip }) => {
  if (!isNode) return skip("the pods' network is not at hand")
  const { said, stderr } = await node(`
    const { createSocket } = require('node:dgram')
    const ask = (port) => new Promise((resolve) => {
      const socket = createSocket('udp6')
      const over = (answer) => { resolve(answer); socket.close() }
      socket.once('message', (message, from) => over({ text: String(message), from: from.address, port: from.port }))
      socket.once('error', (error) => over(error.code))
      socket.connect(port, '${server}', () => socket.send('hello'))
    })
    say('answer', await ask(${port}))
    say('refused', await ask(1))
  `)
  expect(said, stderr).toEqual({
    answer: {
      text: expect.toSatisfy((text: string) => proxies.some((one) => text === `${one}: hello`)),
      from: server,
      port,
    },
    refused: 'ECONNREFUSED',
  })
})

test('where this machine can have no rules for it, that is told, and the rest is as ever', async ({ skip }) => {
  if (!isNode) return skip("the pods' network is not at hand")
  const folder = temporaryFolder()
  for (const program of ['ip6tables-restore', 'nft']) {
    writeFileSync(join(folder, program), `#!/bin/sh\necho "no IPv6 here" >&2\nexit 1\n`, { mode: 0o755 })
  }
  const { said, code, stderr } = await node(
    `${looksAround}
    say('four', await outcome(fetch('http://orders/').then((response) => response.json()).then(({ who }) => who)))
    `,
    { PATH: `${folder}:${process.env.PATH}` },
  )
  const four = expect.stringMatching(/^orders-/)
  expect(said, stderr).toEqual({ addresses: [], elsewhere: 'ENETUNREACH', four })
  expect(stderr).toContain('the pod has IPv6, and the command has not: ip6tables-restore: no IPv6 here')
  expect(code, stderr).toBe(0)
})

test('where the proxy pods have no IPv6, nothing of it is in the twin, before and after', async ({ skip }) => {
  if (!isNode) return skip("the pods' network is not at hand")
  expect((await node(looksAround)).said).toEqual({ addresses: [expect.stringMatching(/^fd/)], elsewhere: server })
  for (const network of networks) await network.restore()
  const after = await node(looksAround)
  for (const { said, stderr } of [before, after].filter((run) => run !== undefined)) {
    expect(said, stderr).toEqual({ addresses: [], elsewhere: 'ENETUNREACH' })
    expect(stderr).not.toContain('no-ipv6')
  }
})
