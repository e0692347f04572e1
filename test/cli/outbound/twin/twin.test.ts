import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { networkNamespaceOf } from '../../../../cli/outbound/twin/inhabitants.ts'
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
const portOf = (server: Server): number => (server.address() as AddressInfo).port

beforeAll(async () => {
  echo.listen(0, '127.0.0.1')
  udp.on('message', (message, from) => udp.send(`udp ${message}`, from.port, from.address))
  udp.bind(0, '127.0.0.1')
  await Promise.all([once(echo, 'listening'), once(udp, 'listening')])
  mkdirSync(join(files, 'config'))
  writeFileSync(join(files, 'config', 'settings.json'), '{"a":1}')
  writeFileSync(join(files, 'hosts'), '127.0.0.1 localhost\n10.0.0.9 nine\n')
  writeFileSync(join(files, 'resolv.conf'), 'nameserver 10.96.0.10\n')
})
afterAll(() => {
  echo.close()
  udp.close()
  rmSync(files, { recursive: true })
})

describe.skipIf(!can).each(firewallsHere())('a twin with the rules of %s', (firewall) => {
  let t: TestTwin

  beforeAll(async () => {
    t = await testTwin(
      {
        '10.0.0.7:80': portOf(echo),
        '10.0.0.9:80': portOf(echo),
        '10.0.0.7:9000': udp.address().port,
        '10.0.0.7:9001': 1,
      },
      [
        { source: join(files, 'config'), target: '/etc/orders/config', kind: 'directory', readOnly: true },
        { source: join(files, 'config'), target: '/at-the-root/of/all', kind: 'directory', readOnly: false },
        { source: join(files, 'hosts'), target: '/etc/hosts', kind: 'file', readOnly: true },
        { source: join(files, 'resolv.conf'), target: '/etc/resolv.conf', kind: 'file', readOnly: true },
      ],
      { firewalls: [firewall] },
    )
  })
  afterAll(() => t?.close())

  test('leads TCP to the cluster: both ways, half-close, many at once', async () => {
    const { code, text } = await t.run(`
      import { connect } from 'node:net'
      const one = (index) => new Promise((resolve, reject) => {
        const socket = connect({ host: '10.0.0.7', port: 80, allowHalfOpen: true })
        let got = ''
        socket.on('error', reject)
        socket.on('data', (chunk) => { got += chunk; if (got === 'hello ' + index) socket.end() })
        socket.on('end', () => resolve(got))
        socket.write('hello ' + index)
      })
      const all = await Promise.all(Array.from({ length: 200 }, (_, index) => one(index)))
      say(String(all.filter((text, index) => text === 'hello ' + index + 'bye').length))
    `)
    expect({ code, text }).toEqual({ code: 0, text: '200' })
  })

  test('who has connected to a port of the cluster may listen at the same port', async () => {
    const { text } = await t.run(`
      import { once } from 'node:events'
      import { connect, createServer } from 'node:net'
      const socket = connect(80, '10.0.0.7')
      await once(socket, 'connect')
      for (const host of [undefined, '0.0.0.0']) {
        say(await new Promise((resolve) => {
          const server = createServer().once('error', (error) => resolve(error.code))
          server.listen({ port: 80, host }, () => server.close(() => resolve('listens')))
        }))
      }
      socket.destroy()
    `)
    expect(text.split('\n')).toEqual(['listens', 'listens'])
  })

  test('its connection errors are the real ones', async () => {
    const { text } = await t.run(dialErrors(['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4', '127.0.0.1']))
    expect(text.split('\n')).toEqual([
      '10.1.0.1 ECONNREFUSED connect',
      '10.1.0.2 EHOSTUNREACH connect',
      '10.1.0.3 ENETUNREACH connect',
      '10.1.0.4 EHOSTUNREACH connect',
      '127.0.0.1 ECONNREFUSED connect',
    ])
    expect(t.failures).toContain('10.1.0.4:1 not-allowed')
  })

  test('leads datagrams to the cluster, and tells of a port where nothing is', async () => {
    const { text } = await t.run(datagrams('udp4', '10.0.0.7', "from.address + ':' + from.port"))
    expect(text.split('\n')).toEqual(['udp one from 10.0.0.7:9000', 'ECONNREFUSED'])
  })

  test('resolves names by its own files and name server', async () => {
    const { text } = await t.run(`
      import { lookup, resolve4 } from 'node:dns/promises'
      say((await lookup('nine')).address)
      say((await lookup('inventory.shop')).address)
      say((await resolve4('whatever')).join())
    `)
    expect(text.split('\n')).toEqual(['10.0.0.9', '10.0.0.7', '10.0.0.7'])
    expect(t.queries.length).toBeGreaterThan(0)
  })

  test('has files where the pod has them, and leaves nothing outside', async () => {
    const { text } = await t.run(`
      import { readFileSync, writeFileSync, existsSync } from 'node:fs'
      say(readFileSync('/etc/orders/config/settings.json', 'utf8'))
      say(readFileSync('/at-the-root/of/all/settings.json', 'utf8'))
      try { writeFileSync('/etc/orders/config/new', '') } catch (error) { say(error.code) }
      writeFileSync('/at-the-root/of/all/new', 'x')
      say(String(existsSync('/etc/passwd') && existsSync('/usr') && existsSync('/proc/self')))
      writeFileSync('in-the-working-directory', 'mine')
    `)
    expect(text.split('\n')).toEqual(['{"a":1}', '{"a":1}', 'EROFS', 'true'])
    expect(existsSync('/etc/orders') || existsSync('/at-the-root')).toBe(false)
    expect(readFileSync(join(files, 'config', 'new'), 'utf8')).toBe('x')
    expect(readFileSync(join(t.room, 'in-the-working-directory'), 'utf8')).toBe('mine')
  })

  test('localhost is this machine, and what listens in it is there for this machine', async () => {
    const { text } = await t.run(asksLocalhost(portOf(echo), '127.0.0.1'))
    expect(text).toBe('from insidebye')
    const running = t.run(`
      import { createServer } from 'node:net'
      const server = createServer((socket) => { socket.end('from the program'); server.close() })
      server.listen(0, '127.0.0.1', () => say('listening'))
    `)
    while (t.ports.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const socket = connect(Number(t.ports[0]), '127.0.0.1')
    let got = ''
    for await (const chunk of socket) got += chunk
    expect(got).toBe('from the program')
    expect((await running).code).toBe(0)
  })

  test('runs as the user, with her exit code, and says what cannot be started', async () => {
    const { code, text } = await t.run(`say(process.getuid() + ' ' + process.cwd()); process.exit(7)`)
    expect({ code, text }).toEqual({ code: 7, text: `${process.getuid?.()} ${t.room}` })
    const nothing = t.twin.run({ command: ['no-such-program'], env: { PATH: '/bin' }, cwd: '/' })
    await expect(nothing).rejects.toMatchObject({ code: 'command-not-started' })
  })
})

test.skipIf(!can)('where the keeper of a twin is killed, the program ends too, and that is said', async () => {
  const t = await testTwin({})
  const pidFile = join(t.room, 'pid')
  const run = t.run(`
    import { writeFileSync } from 'node:fs'
    process.on('SIGTERM', () => undefined)
    writeFileSync(${JSON.stringify(pidFile)}, String(process.pid))
    process.kill(process.ppid, 'SIGKILL')
    setInterval(() => undefined, 1000)
  `)
  await expect(run).rejects.toMatchObject({ code: 'twin-ended', message: expect.stringContaining('SIGKILL') })
  expect(networkNamespaceOf(Number(readFileSync(pidFile, 'utf8')))).toBeUndefined()
  await t.close()
})
