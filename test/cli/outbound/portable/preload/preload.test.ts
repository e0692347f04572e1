import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer, type Server } from 'node:net'
import tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { DialServer } from '../../../../../cli/outbound/portable/dial-server.ts'
import { DnsListener } from '../../../../../cli/outbound/portable/dns-listener.ts'
import { createCa, issueServingCertificate } from '../../../../../src/pki/index.ts'
import { addressRecord, ClusterDouble } from '../support/cluster-double.ts'
import { NodePrograms } from '../support/node-program.ts'

let cluster: ClusterDouble
let programs: NodePrograms
let dial: DialServer
let dns: DnsListener
let env: Record<string, string>
let ca: string
const servers: Server[] = []

async function listen(server: Server): Promise<number> {
  servers.push(server)
  server.listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const service = (name: string): string => `${name}.shop.svc.cluster.local`

beforeAll(async () => {
  cluster = await ClusterDouble.start()
  programs = await NodePrograms.build()
  dial = new DialServer({
    dial: (to) => cluster.way.dial({ ...to }),
    up: async () => undefined,
    onFailure: () => undefined,
  })
  dns = new DnsListener(cluster.dns)
  env = {
    INTERCEPT_DIAL: await dial.listen(),
    INTERCEPT_DNS: await dns.listen(),
    INTERCEPT_SEARCH: 'shop.svc.cluster.local svc.cluster.local cluster.local ndots:5',
  }
  const web = await listen(
    http.createServer((request, response) => response.end(`${request.headers.host}${request.url}`)),
  )
  const greeting = await listen(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined)
      socket.write('220 hello\n')
      socket.once('end', () => socket.end('bye\n'))
      socket.resume()
    }),
  )
  const authority = await createCa()
  ca = authority.cert
  const { key, cert } = await issueServingCertificate(authority, { dnsNames: ['secure'], ips: [] })
  const secure = await listen(tls.createServer({ key, cert }, (socket) => socket.end(`${socket.servername}`)))
  const h2 = await listen(http2.createServer((request, response) => response.end(`h2 ${request.authority}`)))
  const sockets = new WebSocketServer({ noServer: true })
  const upgrading = http.createServer().on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (one) => one.on('message', (data) => one.send(`ws ${data}`)))
  })
  const webSocket = await listen(upgrading)
  for (const [address, ...at] of [
    ['10.0.0.7:8082', h2],
    ['10.0.0.7:8083', webSocket],
    ['10.0.0.7:80', web],
    ['10.0.0.9:25', greeting],
    ['10.0.0.10:443', secure],
    ['fd00::8:80', web],
    ['10.0.0.7:81', 'ECONNREFUSED'],
    ['10.0.0.7:82', 'ETIMEDOUT'],
    ['10.0.0.7:83', 'not-allowed'],
    ['10.0.0.7:84', 'tunnel-down'],
    ['10.0.0.8:80', 'ECONNREFUSED'],
    ['203.0.113.5:80', web],
    ['127.44.0.7:80', web],
  ] as const) {
    cluster.places.set(address, at[0])
  }
  const names: [string, ...string[]][] = [
    [service('inventory'), '10.0.0.7'],
    [service('mail'), '10.0.0.9'],
    [service('secure'), '10.0.0.10'],
    [service('dual'), '10.0.0.8', 'fd00::8'],
    [service('six'), 'fd00::8'],
    [service('embedded'), '127.44.0.7'],
    ['api.example.com', '203.0.113.5'],
    ['here.example.com', '127.0.0.1'],
  ]
  for (const [name, ...addresses] of names) {
    cluster.names.set(
      name,
      addresses.map((address) => addressRecord(name, address)),
    )
  }
  cluster.names.set(`_web._tcp.${service('inventory')}`, [
    { type: 'SRV', name: `_web._tcp.${service('inventory')}`, data: { port: 80, target: service('inventory') } },
  ])
  const large = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(100, 'x'))
  cluster.names.set('large.example.com', [{ type: 'TXT', name: 'large.example.com', data: large }])
})

afterAll(async () => {
  dial.close()
  dns.close()
  for (const server of servers) server.close()
  await cluster.close()
  await programs.remove()
})

const print = 'const print = (value) => console.log(JSON.stringify(value));'
const errorOf = `const errorOf = ({ message, code, errno, syscall, hostname, address, port }) => ({ message, code, errno, syscall, hostname, address, port });`

describe('a Node program', () => {
  it('fetches, by http, fetch and named imports, from a Service by its short name', async () => {
    const source = `${print}
      import { get } from 'node:http'
      import { text } from 'node:stream/consumers'
      const viaFetch = await (await fetch('http://inventory/a')).text()
      const viaHttp = await new Promise((resolve, reject) => get('http://inventory.shop.svc/b', (r) => resolve(text(r))).on('error', reject))
      print([viaFetch, viaHttp])`
    expect(await programs.run(source, env)).toEqual(['inventory/a', 'inventory.shop.svc/b'])
  })

  it('sees on a socket what it would see in the pod', async () => {
    const source = `${print}
      import { connect } from 'node:net'
      const events = []
      const socket = connect({ host: 'mail', port: 25, allowHalfOpen: true })
      for (const name of ['lookup', 'connect', 'ready', 'end', 'close']) socket.on(name, (...args) => events.push([name, ...args.filter((a) => a !== null)]))
      let text = ''
      socket.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      socket.on('ready', () => {
        events.push(socket.remoteAddress, socket.remotePort, socket.remoteFamily, socket.connecting, socket.localAddress)
        socket.end()
      })
      socket.on('close', () => print({ events, text }))`
    expect(await programs.run(source, env)).toEqual({
      events: [
        ['lookup', '10.0.0.9', 4, 'mail'],
        ['connect'],
        ['ready'],
        ...['10.0.0.9', 25, 'IPv4', false, '127.0.0.1'],
        ['end'],
        ['close', false],
      ],
      text: '220 hello\nbye\n',
    })
  })

  it.each([
    ['inventory', 81, 'ECONNREFUSED', '10.0.0.7'],
    ['10.0.0.7', 82, 'ETIMEDOUT', '10.0.0.7'],
    ['10.0.0.7', 83, 'EACCES', '10.0.0.7'],
    ['10.0.0.7', 84, 'ENETUNREACH', '10.0.0.7'],
    ['10.0.0.99', 80, 'EHOSTUNREACH', '10.0.0.99'],
  ])('gets the real error of %s:%i: %s', async (host, port, code, address) => {
    const source = `${print} ${errorOf}
      import { connect } from 'node:net'
      connect(${port}, '${host}').on('error', (error) => print(errorOf(error)))`
    expect(await programs.run(source, env)).toMatchObject({
      message: `connect ${code} ${address}:${port}`,
      code,
      syscall: 'connect',
      address,
      port,
      errno: expect.any(Number),
    })
  })

  it('gets the real error of a name', async () => {
    const source = `${print} ${errorOf}
      import dns from 'node:dns/promises'
      import { connect } from 'node:net'
      const failed = (promise) => promise.then(() => 'no error', errorOf)
      const socket = new Promise((_, reject) => connect(80, 'nobody').on('error', reject))
      print([await failed(socket), await failed(dns.lookup('x.failing')), await failed(dns.resolve4('inventory'))])`
    expect(await programs.run(source, env)).toEqual([
      {
        message: 'getaddrinfo ENOTFOUND nobody',
        code: 'ENOTFOUND',
        errno: -3008,
        syscall: 'getaddrinfo',
        hostname: 'nobody',
      },
      expect.objectContaining({ code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname: 'x.failing' }),
      // No search list, as in a pod.
      expect.objectContaining({ code: 'ENOTFOUND', syscall: 'queryA' }),
    ])
  })

  it('is led whatever library it has: HTTP/2, undici, ws', async () => {
    const library = (name: string): string => JSON.stringify(createRequire(import.meta.url).resolve(name))
    const source = `${print}
      import http2 from 'node:http2'
      import { createRequire } from 'node:module'
      import { text } from 'node:stream/consumers'
      const require = createRequire(import.meta.url)
      const { Pool } = require(${library('undici')})
      const WebSocket = require(${library('ws')})
      const session = http2.connect('http://inventory:8082')
      const h2 = await text(session.request({ ':path': '/' }))
      session.close()
      const pool = new Pool('http://inventory', { connections: 4 })
      const pooled = await Promise.all([1, 2, 3, 4].map(async (n) => (await pool.request({ path: '/' + n, method: 'GET' })).body.text()))
      await pool.close()
      const socket = new WebSocket('ws://inventory:8083')
      const said = await new Promise((resolve, reject) => socket.on('open', () => socket.send('a')).on('message', (m) => resolve(String(m))).on('error', reject))
      socket.close()
      print([h2, pooled, said])`
    expect(await programs.run(source, env)).toEqual([
      'h2 inventory:8082',
      ['inventory/1', 'inventory/2', 'inventory/3', 'inventory/4'],
      'ws a',
    ])
  })

  it('speaks TLS from its end to the cluster’s', async () => {
    const source = `${print}
      import { connect } from 'node:tls'
      const socket = connect({ host: 'secure', servername: 'secure', port: 443, ca: ${JSON.stringify(ca)} })
      socket.setEncoding('utf8').on('data', (name) => print([name, socket.remoteAddress, socket.authorized]))`
    expect(await programs.run(source, env)).toEqual(['secure', '10.0.0.10', true])
  })

  it('tries the other family where one refuses', async () => {
    const source = `${print}
      import { connect } from 'node:net'
      const socket = connect({ host: 'dual', port: 80, autoSelectFamily: true }, () => {
        print([socket.remoteAddress, socket.remoteFamily])
        socket.destroy()
      })`
    expect(await programs.run(source, env)).toEqual(['fd00::8', 'IPv6'])
  })

  it('looks names up in every way', async () => {
    const source = `${print}
      import dns, { lookup } from 'node:dns'
      import { promisify } from 'node:util'
      import { Resolver } from 'node:dns/promises'
      const whole = '${service('inventory')}'
      const called = (...args) => new Promise((resolve) => lookup(...args, (...result) => resolve(result)))
      print([
        await called('inventory'),
        await called('dual', { all: true }),
        await called('dual', 6),
        await called('dual', { all: true, family: 'IPv4' }),
        await promisify(lookup)('api.example.com'),
        await dns.promises.lookup('six', { all: true }),
        await dns.promises.lookup('here.example.com'),
        await dns.promises.resolve4(whole),
        await new Resolver().resolve4(whole),
        await new Promise((resolve) => new dns.Resolver().resolve4(whole, (_, all) => resolve(all))),
        (await dns.promises.resolveSrv('_web._tcp.' + whole)).map(({ name, port }) => [name, port]),
        (await dns.promises.resolveTxt('large.example.com')).flat().join('').length,
        new dns.Resolver() instanceof dns.Resolver,
        dns.Resolver.name,
      ])`
    const all = (await programs.run(source, env)) as unknown[]
    expect(all.slice(0, 7)).toEqual([
      [null, '10.0.0.7', 4],
      [
        null,
        [
          { address: '10.0.0.8', family: 4 },
          { address: 'fd00::8', family: 6 },
        ],
      ],
      [null, 'fd00::8', 6],
      [null, [{ address: '10.0.0.8', family: 4 }]],
      { address: '203.0.113.5', family: 4 },
      [{ address: 'fd00::8', family: 6 }],
      { address: '127.0.0.1', family: 4 },
    ])
    expect(all.slice(7)).toEqual([
      ['10.0.0.7'],
      ['10.0.0.7'],
      ['10.0.0.7'],
      [[service('inventory'), 80]],
      4_000,
      true,
      'Resolver',
    ])
  })

  it('has its own machine’s loopback, whatever it is called', async () => {
    const here = await listen(createServer((socket) => socket.end('here')))
    const before = cluster.dialled.length
    const source = `${print}
      import { connect } from 'node:net'
      import { text } from 'node:stream/consumers'
      import { hostname, networkInterfaces } from 'node:os'
      import { lookup } from 'node:dns/promises'
      const answers = []
      for (const host of [undefined, 'localhost', '127.0.0.1', '::ffff:127.0.0.1', 'here.example.com', '0.0.0.0']) {
        answers.push(await text(connect({ host, port: ${here} })))
      }
      print([answers, typeof (await lookup(hostname())).address])`
    expect(await programs.run(source, env)).toEqual([Array(6).fill('here'), 'string'])
    expect(cluster.dialled.length).toBe(before)
  })

  it('reaches Services of an embedded cluster, whose addresses are loopback’s', async () => {
    const source = `${print} print(await (await fetch('http://embedded/')).text())`
    expect(await programs.run(source, env)).toBe('embedded/')
    expect(cluster.dialled).toContain('127.44.0.7:80')
  })

  it('is led in its worker threads, child processes and theirs too', async () => {
    const source = `${print}
      import { Worker } from 'node:worker_threads'
      import { execFileSync } from 'node:child_process'
      const ask = "fetch('http://inventory/x').then((r) => r.text()).then("
      const worker = new Worker(ask + "(t) => require('node:worker_threads').parentPort.postMessage(t))", { eval: true })
      const fromWorker = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      const shell = execFileSync('sh', ['-c', '"$0" -e "$1"', process.execPath, ask + 'console.log)'], { encoding: 'utf8' })
      print([fromWorker, shell.trim()])`
    expect(await programs.run(source, env)).toEqual(['inventory/x', 'inventory/x'])
  })

  it('that gives up leaves nothing open', async () => {
    cluster.places.set(
      '10.0.0.50:80',
      await listen(createServer((socket) => socket.on('error', () => undefined).resume())),
    )
    const source = `${print}
      import { connect } from 'node:net'
      const never = connect(80, '10.0.0.50')
      setImmediate(() => never.destroy())
      never.on('close', () => {
        const open = connect(80, '10.0.0.50', () => open.destroy())
        open.on('close', () => print('done'))
      })`
    expect(await programs.run(source, env)).toBe('done')
    await expect.poll(() => cluster.streams).toBe(0)
  })

  it('gets 300 connections at once', async () => {
    const source = `${print}
      const all = await Promise.all(Array.from({ length: 300 }, (_, i) => fetch('http://inventory/' + i).then((r) => r.text())))
      print(all.filter((text, i) => text === 'inventory/' + i).length)`
    expect(await programs.run(source, env)).toBe(300)
  })

  it('looks 400 names up at once', async () => {
    const source = `${print}
      import { lookup } from 'node:dns/promises'
      const names = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 'inventory' : 'nobody-' + i))
      const all = await Promise.allSettled(names.map((name) => lookup(name)))
      print([all.filter(({ value }) => value?.address === '10.0.0.7').length, all.filter(({ reason }) => reason?.code === 'ENOTFOUND').length])`
    expect(await programs.run(source, env)).toEqual([200, 200])
  })

  it('whose way in is gone is told so', async () => {
    const gone = createServer()
    const port = await listen(gone)
    gone.close()
    await once(gone, 'close')
    const source = `${print} import { connect } from 'node:net'
      connect(80, '10.0.0.7').on('error', ({ message }) => print(message))`
    expect(await programs.run(source, { ...env, INTERCEPT_DIAL: `127.0.0.1:${port}` })).toBe(
      'connect ENETUNREACH 10.0.0.7:80',
    )
  })

  it('without the variables is left alone', async () => {
    const before = cluster.asked.length
    const source = `${print} import dns from 'node:dns'; print(dns.getServers().includes('${env.INTERCEPT_DNS}'))
      await dns.promises.lookup('inventory.invalid').catch(() => {})`
    expect(await programs.run(source, {})).toBe(false)
    expect(cluster.asked.length).toBe(before)
  })

  it('that throws in a callback dies of it, as ever', async () => {
    const source = `import dns from 'node:dns'; dns.lookup('inventory', () => { throw new Error('mine') })`
    const { code, error } = await programs.start(source, env)
    expect(code).toBe(1)
    expect(error).toContain('Error: mine')
    expect(error).not.toContain('unhandled')
  })
})
