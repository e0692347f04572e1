import { createHash } from 'node:crypto'
import type { StreamHandlers, TunnelStream } from '../../../src/tunnel/index.ts'

export type StreamEvent = 'accept' | 'refuse' | 'end' | 'reset'

/** Handlers that remember what a stream did, and can be waited for. Consumes what arrives unless told to hold. */
export class RecordedStream implements StreamHandlers {
  readonly stream: TunnelStream
  readonly chunks: Buffer[] = []
  readonly datagrams: Buffer[] = []
  bytes = 0
  frames = 0
  code = ''
  message = ''
  ended = false
  hold = false
  held = 0
  drains = 0
  readonly events: StreamEvent[] = []
  readonly #hash = createHash('sha256')
  readonly #keep: boolean
  #waiting: (() => void)[] = []

  constructor(stream: TunnelStream, options: { keep?: boolean; hold?: boolean } = {}) {
    this.stream = stream
    this.#keep = options.keep ?? true
    this.hold = options.hold ?? false
    stream.handle(this)
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }

  digest(): string {
    return this.#hash.digest('hex')
  }

  /** Resolves when `condition` holds; looks again after each event. */
  async until(condition: (self: this) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this
  }

  release(): void {
    this.hold = false
    const { held } = this
    this.held = 0
    this.stream.consumed(held)
  }

  onAccept(): void {
    this.#event('accept')
  }

  onRefuse(code: string, message: string): void {
    this.code = code
    this.message = message
    this.#event('refuse')
  }

  onData(chunk: Buffer): void {
    this.bytes += chunk.length
    this.frames += 1
    if (this.#keep) this.chunks.push(chunk)
    this.#hash.update(chunk)
    if (this.hold) this.held += chunk.length
    else this.stream.consumed(chunk.length)
    this.#wake()
  }

  onEnd(): void {
    this.ended = true
    this.#event('end')
  }

  onReset(code: string): void {
    this.code = code
    this.#event('reset')
  }

  onDrain(): void {
    this.drains += 1
    this.#wake()
  }

  onDatagram(datagram: Buffer): void {
    this.datagrams.push(Buffer.from(datagram))
    this.#wake()
  }

  #event(event: StreamEvent): void {
    this.events.push(event)
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** Writes all of it, stopping when asked to. Does not end the stream. */
export async function writeAll(to: RecordedStream, chunks: Iterable<Buffer>): Promise<void> {
  for (const chunk of chunks) {
    const drains = to.drains
    if (!to.stream.write(chunk)) await to.until((self) => self.drains > drains || self.events.includes('reset'))
  }
}
