import type { StreamHandlers, StreamHeader, Tunnel, TunnelState, TunnelStream } from '../../../src/tunnel/index.ts'

/** A tunnel whose laptop is played by the test. */
export class TunnelDouble implements Tunnel {
  readonly id = 'double'
  state: TunnelState = 'up'
  readonly stats = { streams: 0, bytesIn: 0, bytesOut: 0, roundTripMs: undefined }
  readonly streams: StreamDouble[] = []
  /** What `open` throws. */
  failure: Error | undefined
  /** What the laptop does with a stream, on a later turn. */
  laptop: (stream: StreamDouble) => void = () => undefined
  #waiting: (() => void)[] = []

  open(header: StreamHeader): StreamDouble {
    if (this.failure) throw this.failure
    const stream = new StreamDouble(header)
    this.streams.push(stream)
    setImmediate(() => this.laptop(stream))
    for (const wake of this.#waiting.splice(0)) wake()
    return stream
  }

  async close(): Promise<void> {
    this.state = 'closed'
  }

  /** The stream of that number, once it is opened. */
  async stream(index = 0): Promise<StreamDouble> {
    for (;;) {
      const found = this.streams[index]
      if (found) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

/** The proxy pod's end of a stream; the methods below the line are what the laptop does. */
export class StreamDouble implements TunnelStream {
  readonly header: StreamHeader
  readonly stalled = false
  /** What `write` answers. */
  takes = true
  consumedBytes = 0
  ended = false
  resetCode: string | undefined
  #handlers: StreamHandlers | undefined
  readonly #written: Buffer[] = []
  #waiting: (() => void)[] = []

  constructor(header: StreamHeader) {
    this.header = header
  }

  handle(handlers: StreamHandlers): void {
    this.#handlers = handlers
  }

  write(chunk: Buffer): boolean {
    if (this.resetCode === undefined) this.#written.push(chunk)
    this.#wake()
    return this.takes
  }

  end(): void {
    this.ended = true
    this.#wake()
  }

  reset(code = 'reset'): void {
    this.resetCode ??= code
    this.#wake()
  }

  accept(): void {
    // As that of the real one: nothing, where we opened it.
  }

  refuse(): void {
    throw new Error('we opened it')
  }

  consumed(bytes: number): void {
    this.consumedBytes += bytes
    this.#wake()
  }

  sendDatagram(): void {
    throw new Error('not a datagram stream')
  }

  // ---- the laptop's side

  get received(): Buffer {
    return Buffer.concat(this.#written)
  }

  get text(): string {
    return this.received.toString('latin1')
  }

  accepts(): this {
    this.#handlers?.onAccept?.()
    return this
  }

  refuses(message = 'nothing listens'): void {
    this.#handlers?.onRefuse?.('local-down', message)
  }

  says(data: string | Buffer): this {
    this.#handlers?.onData(Buffer.from(data))
    return this
  }

  ends(): this {
    this.#handlers?.onEnd()
    return this
  }

  resets(code = 'ECONNRESET'): void {
    this.#handlers?.onReset(code)
  }

  drains(): void {
    this.takes = true
    this.#handlers?.onDrain()
  }

  async until(condition: (self: this) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
