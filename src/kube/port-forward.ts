import { Duplex } from 'node:stream'
import { type RawData, WebSocket } from 'ws'
import { type Attempt, errorFromTransport, KubeError } from './error.ts'
import { pathOf } from './paths.ts'
import { pods } from './resources.ts'
import type { Transport } from './transport.ts'
import { openWebSocket } from './web-socket.ts'

/**
 * The WebSocket form of the portforward subresource: the first byte of each message is the channel (0 data, 1 error),
 * the first message of each channel repeats the port as 16 bits, little end first.
 */
const protocol = 'v4.channel.k8s.io'
const channels = { data: 0, error: 1 } as const

/** Resolves when kubelet has accepted; that nothing listens on the port shows as an error of the stream. */
export async function openPortForward(
  transport: Transport,
  namespace: string,
  pod: string,
  port: number,
): Promise<Duplex> {
  const path = `${pathOf(pods, namespace, pod, 'portforward')}?ports=${port}`
  const attempt: Attempt = {
    server: transport.access.server,
    context: transport.access.context,
    verb: 'create',
    path,
    group: '',
    resource: 'pods/portforward',
    namespace,
    name: pod,
  }
  return openWebSocket(transport, path, protocol, attempt, (socket) => new PortForwardStream(socket, attempt))
}

/**
 * The protocol has no half-close. `end()` is not carried to the pod: the connection lives until the pod closes its side,
 * or until `destroy()`.
 */
class PortForwardStream extends Duplex {
  readonly #socket: WebSocket
  readonly #attempt: Attempt
  readonly #greeted = new Set<number>()

  constructor(socket: WebSocket, attempt: Attempt) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.#attempt = attempt
    socket.on('message', (data) => this.#onMessage(data))
    socket.once('error', (error) => this.destroy(errorFromTransport(error, attempt)))
    socket.once('close', (code, reason) => this.#onClose(code, reason.toString('utf8')))
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send([chunk], chunk.length, callback)
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    const buffers = chunks.map(({ chunk }) => chunk)
    this.#send(
      buffers,
      buffers.reduce((sum, one) => sum + one.length, 0),
      callback,
    )
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.close(1000)
    else if (this.#socket.readyState === WebSocket.CONNECTING) this.#socket.terminate()
    callback(error)
  }

  #send(buffers: readonly Buffer[], length: number, callback: (error?: Error | null) => void): void {
    const message = Buffer.allocUnsafe(length + 1)
    message[0] = channels.data
    let offset = 1
    for (const buffer of buffers) offset += buffer.copy(message, offset)
    this.#socket.send(message, { binary: true }, callback)
  }

  #onMessage(data: RawData): void {
    const message = data as Buffer
    const channel = message[0] ?? channels.data
    if (!this.#greeted.has(channel)) {
      this.#greeted.add(channel)
      return
    }
    if (channel === channels.error) {
      const text = message.subarray(1).toString('utf8').trim()
      this.destroy(forwardError(text, this.#attempt))
      return
    }
    if (message.length > 1 && !this.push(message.subarray(1))) this.#socket.pause()
  }

  #onClose(code: number, reason: string): void {
    if (this.destroyed) return
    if (code === 1000 || code === 1005) {
      this.push(null)
      this.once('end', () => this.destroy())
      return
    }
    this.destroy(
      new KubeError(
        'api-unreachable',
        `The port-forward connection broke (${code}${reason === '' ? '' : ` ${reason}`})`,
      ),
    )
  }
}

/** Kubelet's words name sandbox paths; the one thing that people get wrong is said plainly. */
function forwardError(text: string, { namespace, name, path }: Attempt): KubeError {
  const port = /ports=(\d+)/.exec(path)?.[1]
  const refused = /connection refused/.test(text)
  const reason = refused ? `nothing listens on port ${port}` : text
  return new KubeError('port-forward-failed', `Port-forward to pod ${namespace}/${name}: ${reason}`, {
    cause: new Error(text),
  })
}
