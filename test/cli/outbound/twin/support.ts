import { createSocket } from 'node:dgram'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { TwinMount } from '../../../../cli/outbound/twin/protocol.ts'
import { Twin, type TwinParts } from '../../../../cli/outbound/twin/twin.ts'
import { answerStream, type TunnelStream } from '../../../../src/tunnel/index.ts'
import { tunnelPair } from '../../../tunnel/support/tunnel-pair.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')

/** A twin whose cluster is played by the test: `hosts['ADDRESS:PORT']` is a port of this machine. */
export interface TestTwin {
  readonly twin: Twin
  /** Writes what a Node program prints to a file: the program's terminal is the test's. */
  run(script: string, options?: { readonly env?: Record<string, string> }): Promise<{ code: number; text: string }>
  readonly failures: string[]
  readonly ports: string[]
  readonly queries: Buffer[]
  readonly room: string
  close(): Promise<void>
}

export async function testTwin(
  hosts: Readonly<Record<string, number>>,
  mounts: readonly TwinMount[] = [],
  options: Pick<TwinParts, 'firewalls' | 'ipv6'> = {},
): Promise<TestTwin> {
  const room = mkdtempSync(join(tmpdir(), 'intercept-twin-test-'))
  // Within the checkout, so that it finds its packages.
  const keeper = join(root, 'dist', `keeper-of-test-${process.pid}.js`)
  await build({
    entryPoints: [join(root, 'cli/outbound/twin/keeper/main.ts')],
    outfile: keeper,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['koffi'],
    logLevel: 'warning',
  })
  const pair = await tunnelPair({ limits: { maxStreams: 4_096 } })
  const server = await pair.server
  server.onStream = (stream) => serve(stream, hosts)
  await pair.client.became('up')
  const failures: string[] = []
  const ports: string[] = []
  const queries: Buffer[] = []
  const twin = await Twin.start({
    dialTcp: (to) => pair.client.tunnel.open({ dial: { ...to } }),
    dialUdp: (to) => pair.client.tunnel.open({ proto: 'udp', dial: { ...to } }),
    dialDns: () => pair.client.tunnel.open({ dns: {} }),
    up: () => Promise.resolve(),
    query: (message) => {
      queries.push(message)
      return Promise.resolve(answerOf(message))
    },
    nameservers: ['10.96.0.10', 'FD00:96:0::A'],
    scratch: room,
    mounts,
    keeper,
    ...options,
    onFailure: (to, code) => failures.push(`${to.address}:${to.port} ${code}`),
    onPort: (port, taken) => ports.push(taken ? `${port} ${taken.code}` : String(port)),
  })
  let runs = 0
  return {
    twin,
    failures,
    ports,
    queries,
    room,
    run: async (script, { env = {} } = {}) => {
      runs += 1
      const out = join(room, `out-${runs}`)
      const full = `import { appendFileSync } from 'node:fs'; const say = (text) => appendFileSync(${JSON.stringify(out)}, text + '\\n');\n${script}`
      const code = await twin.run({
        command: [process.execPath, '--input-type=module', '-e', full],
        env: { PATH: process.env.PATH ?? '', ...env },
        cwd: room,
      })
      return { code, text: existsSync(out) ? readFileSync(out, 'utf8').trimEnd() : '' }
    },
    close: async () => {
      await twin.close()
      await pair.close()
      rmSync(room, { recursive: true, force: true })
      rmSync(keeper, { force: true })
    },
  }
}

function serve(stream: TunnelStream, hosts: Readonly<Record<string, number>>): void {
  const { address, port } = stream.header.dial as { address: string; port: number }
  const code = refusals[address]
  if (code !== undefined) return void stream.refuse(code, `as the test has it: ${code}`)
  const local = hosts[`${address}:${port}`]
  if (local === undefined) return void stream.refuse('ECONNREFUSED', 'the test has nothing there')
  if (stream.header.proto === 'udp') return void serveUdp(stream, local)
  answerStream(stream, {
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port: local, allowHalfOpen: true }, () => resolve(socket))
        socket.once('error', reject)
      }),
    refusal: (error) => ({ code: (error as NodeJS.ErrnoException).code ?? 'failed', message: String(error) }),
  })
}

/** Addresses at which nothing is, each in a way of its own. */
const refusals: Readonly<Record<string, string>> = {
  '10.1.0.1': 'ECONNREFUSED',
  '10.1.0.2': 'EHOSTUNREACH',
  '10.1.0.3': 'ENETUNREACH',
  '10.1.0.4': 'not-allowed',
  'fd00:1::1': 'ECONNREFUSED',
  'fd00:1::2': 'EHOSTUNREACH',
  'fd00:1::3': 'ENETUNREACH',
  'fd00:1::4': 'not-allowed',
}

function serveUdp(stream: TunnelStream, local: number): void {
  const socket = createSocket('udp4')
  const connected = new Promise<void>((resolve) => socket.connect(local, '127.0.0.1', resolve))
  socket.on('message', (message) => stream.sendDatagram(message))
  socket.on('error', (error) => stream.reset((error as NodeJS.ErrnoException).code ?? 'failed'))
  stream.handle({
    onData: (chunk) => stream.consumed(chunk.length),
    onEnd: () => undefined,
    onReset: () => socket.close(),
    onDrain: () => undefined,
    onDatagram: (datagram) => void connected.then(() => socket.send(datagram)),
  })
  void connected.then(() => stream.accept())
}

/** One A record, 10.0.0.7, for whatever was asked. */
function answerOf(query: Buffer): Buffer {
  const header = Buffer.from(query.subarray(0, 12))
  header.writeUInt16BE(0x8180, 2)
  header.writeUInt16BE(1, 6)
  header.writeUInt32BE(0, 8)
  const end = query.indexOf(0, 12) + 5
  const isA = query.readUInt16BE(end - 4) === 1
  if (!isA) header.writeUInt16BE(0, 6)
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 0, 0, 7])
  return Buffer.concat([header, query.subarray(12, end), ...(isA ? [record] : [])])
}
