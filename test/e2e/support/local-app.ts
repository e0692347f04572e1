import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { bundle } from './bundles.ts'

export interface LocalApp {
  readonly ports: { http: number; tcp: number; udp: number; grpc: number }
  readonly pid: number
  /** `METHOD path body` of what was sent to /copied. */
  readonly seen: string[]
  stop(): Promise<void>
}

/** Starts the test server as a local process that calls itself `who`, on the laptop where there is one. */
export async function startLocalApp(
  who: string,
  prefix: readonly string[] = [],
  fixed?: LocalApp['ports'],
  env: Readonly<Record<string, string>> = {},
): Promise<LocalApp> {
  const ports = fixed ?? {
    http: await freePort(),
    tcp: await freePort(),
    udp: await freePort(),
    grpc: await freePort(),
  }
  const [file = process.execPath, ...args] = [...prefix, process.execPath, await bundle('app')]
  const child: ChildProcess = spawn(file, args, {
    env: {
      ...process.env,
      ...env,
      WHO: who,
      HOST: '127.0.0.1',
      PORT_HTTP: String(ports.http),
      PORT_TCP: String(ports.tcp),
      PORT_UDP: String(ports.udp),
      PORT_GRPC: String(ports.grpc),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const seen: string[] = []
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (output + text).split('\n')
      output = lines.pop() ?? ''
      for (const line of lines) {
        if (line.endsWith(' listens')) resolve()
        else if (line.startsWith('seen ')) seen.push(line.slice('seen '.length))
      }
    })
    child.once('exit', (code) => reject(new Error(`the local process ended with ${code}`)))
  })
  return {
    ports,
    pid: child.pid ?? 0,
    seen,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
