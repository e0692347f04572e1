import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { checkTwin } from '../../../../cli/outbound/twin/why-no-twin.ts'
import { firewallsHere } from './firewalls-here.ts'
import { asksLocalhost, datagrams, dialErrors } from './programs.ts'
import { type TestTwin, testTwin } from './support.ts'

const can = await checkTwin().then(
  () => true,
  () => false,
)

const echo = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('data', (chunk) => socket.write(chunk))
  socket.on('end', () => socket.end('bye'))
  socket.on('error', () => undefined)
})
const udp = createSocket('udp4')
const files = mkdtempSync(join(tmpdir(), 'intercept-twin-files-'))
const portOf = (): number => (echo.address() as AddressInfo).port

beforeAll(async () => {
  echo.listen(0, '127.0.0.1')
  udp.on('message', (message, from) => udp.send(`udp ${message}`, from.port, from.address))
  udp.bind(0, '127.0.0.1')
  await Promise.all([once(echo, 'listening'), once(udp, 'listening')])
})
afterAll(() => {
  echo.close()
  udp.close()
  rmSync(files, { recursive: true })
})

/** What a program says of its addresses of IPv6 beyond its link, and of a way to elsewhere. */
const looksAround = `
  import { connect } from 'node:net'
  import { networkInterfaces } from 'node:os'
  const all = Object.values(networkInterfaces()).flat()
  say(all.filter((one) => one.family === 'IPv6' && !/^(::1$|fe80:)/.test(one.address)).map((one) => one.cidr).join())
  const error = await new Promise((resolve) => connect(1, 'fd00:1::1').once('error', resolve))
  say(error.code)
`

describe.skipIf(!can).each(firewallsHere('ipv6'))('a twin with IPv6 and the rules of %s', (firewall) => {
  let t: TestTwin

  beforeAll(async () => {
    const hosts = {
      'fd00:10::7:80': portOf(),
      '10.0.0.7:80': portOf(),
      'fd00:10::7:9000': udp.address().port,
      'fd00:10::7:9001': 1,
    }
    t = await testTwin(hosts, [], { firewalls: [firewall], ipv6: 'unique-local' })
  })
  afterAll(() => t?.close())

  test('leads TCP to the cluster: both ways, half-close, many at once, from both kinds of sockets', async () => {
    expect(t.twin.withoutIPv6).toBeUndefined()
    const { code, text } = await t.run(`
      import { connect } from 'node:net'
      const one = (host, index) => new Promise((resolve, reject) => {
        const socket = connect({ host, port: 80, allowHalfOpen: true })
        let got = ''
        socket.on('error', reject)
        socket.on('connect', () => { if (index === 0) say(socket.remoteAddress) })
        socket.on('data', (chunk) => { got += chunk; if (got === 'hello ' + index) socket.end() })
        socket.on('end', () => resolve(got))
        socket.write('hello ' + index)
      })
      const all = await Promise.all(Array.from({ length: 200 }, (_, index) => one('fd00:10::7', index)))
      say(String(all.filter((text, index) => text === 'hello ' + index + 'bye').length))
      say(await one('::ffff:10.0.0.7', 1))
    `)
    expect({ code, text }).toEqual({ code: 0, text: 'fd00:10::7\n200\nhello 1bye' })
  })

  test('its connection errors are the real ones', async () => {
    const { text } = await t.run(dialErrors(['fd00:1::1', 'fd00:1::2', 'fd00:1::3', 'fd00:1::4', '::1']))
    expect(text.split('\n')).toEqual([
      'fd00:1::1 ECONNREFUSED connect',
      'fd00:1::2 EHOSTUNREACH connect',
      'fd00:1::3 ENETUNREACH connect',
      'fd00:1::4 EACCES connect',
      '::1 ECONNREFUSED connect',
    ])
    expect(t.failures).toContain('fd00:1::4:1 not-allowed')
  })

  test('leads datagrams to the cluster, and tells of a port where nothing is', async () => {
    const { text } = await t.run(datagrams('udp6', 'fd00:10::7', "from.address + ' ' + from.port"))
    expect(text.split('\n')).toEqual(['udp one from fd00:10::7 9000', 'ECONNREFUSED'])
  })

  test('asks a name server of IPv6, whatever its spelling', async () => {
    const { text } = await t.run(`
      import { Resolver } from 'node:dns/promises'
      const resolver = new Resolver()
      resolver.setServers(['fd00:96::a'])
      say((await resolver.resolve4('whatever')).join())
    `)
    expect(text).toBe('10.0.0.7')
  })

  test('::1 is this machine, and what listens there alone is there for this machine', async () => {
    const { text } = await t.run(asksLocalhost(portOf(), '::1'))
    expect(text).toBe('from insidebye')
    const running = t.run(`
      import { once } from 'node:events'
      import { connect, createServer } from 'node:net'
      const server = createServer((socket) => socket.end('from the program'))
      await once(server.listen(0, '::1'), 'listening')
      const own = connect(server.address().port, '::1')
      let got = ''
      for await (const chunk of own) got += chunk
      say(got)
      server.once('connection', () => server.close())
    `)
    while (t.ports.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const socket = connect(Number(t.ports[0]), '127.0.0.1')
    let got = ''
    for await (const chunk of socket) got += chunk
    expect(got).toBe('from the program')
    expect(await running).toEqual({ code: 0, text: 'from the program' })
  })

  test('every address can be bound, and datagrams within the twin stay in it', async () => {
    const { text } = await t.run(`
      import { createSocket } from 'node:dgram'
      import { once } from 'node:events'
      import { createServer } from 'node:net'
      const server = createServer().listen(0, 'fd00:20::5')
      await once(server, 'listening')
      say(server.address().address)
      server.close()
      const [a, b] = [createSocket('udp6'), createSocket('udp6')]
      await new Promise((resolve) => a.bind(0, '::1', resolve))
      b.send('within', a.address().port, '::1')
      const [message] = await once(a, 'message')
      say(String(message))
      a.close()
      b.close()
    `)
    expect(text.split('\n')).toEqual(['fd00:20::5', 'within'])
  })
})

test.skipIf(!can).each([
  ['unique-local', /^fd[\da-f:]+\/128$/, ['203.0.113.9', '2001:db8:9::9']],
  ['global', /^2001:db8::1\/128$/, ['2001:db8:9::9', '203.0.113.9']],
] as const)('where the pod has a %s address, so has the twin, and sorts by it', async (ipv6, address, sorted) => {
  const hosts = join(files, 'hosts')
  writeFileSync(hosts, '203.0.113.9 nine\n2001:db8:9::9 nine\n')
  const t = await testTwin({}, [{ source: hosts, target: '/etc/hosts', kind: 'file', readOnly: true }], { ipv6 })
  const { text } = await t.run(`${looksAround}
    import { lookup } from 'node:dns/promises'
    say((await lookup('nine', { all: true, verbatim: true })).map((one) => one.address).join())
  `)
  const [addresses, error, names] = text.split('\n')
  expect(addresses).toMatch(address)
  expect(error).toBe('ECONNREFUSED')
  expect(names).toBe(sorted.join())
  await t.close()
})

test.skipIf(!can)('where the pod has no IPv6, the twin has none, but ::1 is this machine', async () => {
  const t = await testTwin({})
  expect((await t.run(looksAround)).text).toBe('\nENETUNREACH')
  expect(t.failures).toEqual([])
  const { text } = await t.run(asksLocalhost(portOf(), '::1'))
  expect(text).toBe('from insidebye')
  await t.close()
})

test.skipIf(!can || !firewallsHere().includes('iptables'))(
  'where no rules can be made for it, the twin has IPv4 only, and that is said',
  async () => {
    for (const program of ['ip6tables-restore', 'nft']) {
      writeFileSync(join(files, program), `#!/bin/sh\necho "${program} has no IPv6" >&2\nexit 1\n`, { mode: 0o755 })
    }
    vi.stubEnv('PATH', `${files}:${process.env.PATH}`)
    const t = await testTwin({ '10.0.0.7:80': portOf() }, [], { ipv6: 'global' })
    vi.unstubAllEnvs()
    expect(t.twin.withoutIPv6).toBe('ip6tables-restore: ip6tables-restore has no IPv6; nft: nft has no IPv6')
    expect((await t.run(looksAround)).text).toBe('\nENETUNREACH')
    const { text } = await t.run(`
      import { connect } from 'node:net'
      import { once } from 'node:events'
      const socket = connect(80, '10.0.0.7')
      await once(socket, 'connect')
      say('connected')
      socket.destroy()
    `)
    expect(text).toBe('connected')
    await t.close()
  },
)
