import { spawn } from 'node:child_process'
import type { IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { ApiError } from '../api-error.ts'
import type { ContainerProcess } from '../kubelet/supervisor.ts'
import { isTrue } from './request-info.ts'

const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const
/** Bytes waiting for a slow client before the command is no longer read. */
const highWater = 1024 * 1024

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
})

/** pods/exec over a WebSocket (v4 and v5.channel.k8s.io), without terminals. The command ends with its connection. */
export function serveExec(
  query: URLSearchParams,
  prepare: (container: string | undefined, command: string[]) => Omit<ContainerProcess, 'log'>,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const command = query.getAll('command')
  if (command.length === 0) throw ApiError.badRequest('you must specify at least 1 command for the container')
  if (isTrue(query.get('tty'))) throw ApiError.badRequest('the embedded cluster has no terminals')
  const process = prepare(query.get('container') ?? undefined, command)
  server.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.binaryType = 'nodebuffer'
    const child = spawn(process.command, process.args, { env: process.env, cwd: process.cwd, stdio: 'pipe' })
    const end = (status: object): void => {
      send(webSocket, channels.error, Buffer.from(JSON.stringify({ metadata: {}, ...status })))
      webSocket.close(1000)
    }
    if (isTrue(query.get('stdout'))) carry(child.stdout, webSocket, channels.stdout)
    else child.stdout.resume()
    if (isTrue(query.get('stderr'))) carry(child.stderr, webSocket, channels.stderr)
    else child.stderr.resume()
    child.stdin.on('error', () => child.stdin.destroy())
    if (!isTrue(query.get('stdin'))) child.stdin.end()
    webSocket.on('message', (message: Buffer) => {
      if (message[0] === channels.stdin && message.length > 1) child.stdin.write(message.subarray(1))
      if (message[0] === channels.close && message[1] === channels.stdin) child.stdin.end()
    })
    child.on('error', (error) => {
      const why = `error executing command in container: failed to exec in container: ${error.message}`
      end({ status: 'Failure', reason: 'InternalError', message: `Internal error occurred: ${why}`, code: 500 })
    })
    child.on('close', (code) => {
      if (code === 0) end({ status: 'Success' })
      else {
        const message = `command terminated with non-zero exit code: exit status ${code ?? 137}`
        const details = { causes: [{ reason: 'ExitCode', message: String(code ?? 137) }] }
        end({ status: 'Failure', reason: 'NonZeroExitCode', message, details })
      }
    })
    webSocket.on('close', () => child.kill('SIGKILL'))
    webSocket.on('error', () => webSocket.terminate())
  })
}

function carry(from: Readable, webSocket: WebSocket, channel: number): void {
  from.on('data', (chunk: Buffer) => {
    send(webSocket, channel, chunk, () => {
      if (webSocket.bufferedAmount < highWater) from.resume()
    })
    if (webSocket.bufferedAmount >= highWater) from.pause()
  })
}

function send(webSocket: WebSocket, channel: number, bytes: Buffer, done: () => void = () => undefined): void {
  if (webSocket.readyState === webSocket.OPEN) webSocket.send(Buffer.concat([Buffer.from([channel]), bytes]), done)
}
