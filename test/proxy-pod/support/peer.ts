import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** One end of a TCP connection, that remembers what came and can be waited for. Half-open, like the real ones. */
export class Peer {
  readonly socket: Socket
  readonly #chunks: Buffer[] = []
  #waiting: (() => void)[] = []
  /** Bytes that came. */
  length = 0
  /** The other side half-closed. */
  ended = false
  /** Code of the error, such as ECONNRESET. */
  failure: string | undefined
  closed = false

  constructor(socket: Socket, reading = true) {
    this.socket = socket
    socket.on('end', () => this.#note(() => (this.ended = true)))
    socket.on('error', (error: NodeJS.ErrnoException) => this.#note(() => (this.failure = error.code)))
    socket.on('close', () => this.#note(() => (this.closed = true)))
    if (reading) this.read()
  }

  read(): void {
    this.socket.on('data', (chunk) =>
      this.#note(() => {
        this.#chunks.push(chunk)
        this.length += chunk.length
      }),
    )
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  write(data: string | Buffer): this {
    this.socket.write(data)
    return this
  }

  /** Half-closes. */
  end(): this {
    this.socket.end()
    return this
  }

  /** With a TCP reset. */
  reset(): this {
    this.socket.resetAndDestroy()
    return this
  }

  async until(condition: (self: this) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this
  }

  /** Resolves when exactly this much text has come; throws at once where something else does. */
  async got(text: string): Promise<this> {
    await this.until((self) => self.length >= text.length || self.closed)
    if (this.text !== text) throw new Error(`expected ${JSON.stringify(text)}, got ${JSON.stringify(this.text)}`)
    return this
  }

  #note(change: () => void): void {
    change()
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

export async function dial(port: number, options: { host?: string; reading?: boolean } = {}): Promise<Peer> {
  const socket = connect({ host: options.host ?? '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  return new Peer(socket, options.reading)
}

/** A TCP server, such as a pod of the origin or a local process, whose connections a test plays by hand. */
export class TcpServer {
  readonly peers: Peer[] = []
  readonly #server: Server
  #waiting: (() => void)[] = []

  constructor(onPeer: (peer: Peer) => void = () => undefined, reading = true) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const peer = new Peer(socket, reading)
      this.peers.push(peer)
      onPeer(peer)
      for (const wake of this.#waiting.splice(0)) wake()
    })
  }

  async listen(port = 0, host = '127.0.0.1'): Promise<this> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get endpoint(): { address: string; port: number } {
    return { address: '127.0.0.1', port: this.port }
  }

  /** The connection of that number, once it is there. */
  async peer(index = 0): Promise<Peer> {
    for (;;) {
      const found = this.peers[index]
      if (found) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  close(): void {
    this.#server.close()
    for (const { socket } of this.peers) socket.destroy()
  }
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = await new TcpServer().listen()
  const { port } = server
  server.close()
  return port
}

/** Lets everything that is ready to happen happen. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
