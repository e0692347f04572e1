import type { ClientHttp2Stream, ServerHttp2Stream } from 'node:http2'
import { passOn, type RawBlock, type ReceivedHeaders } from './http2-headers.ts'
import { http2Limits } from './http2-limits.ts'

/** Gets a request's body as it is read, and its trailers. */
export interface BodyCopy {
  write(chunk: Buffer): void
  /** The body was whole. */
  end(trailers: RawBlock | undefined): void
}

/**
 * The body and the trailers of a client's request. Not read before an upstream is ready for them, and then no faster
 * than it takes them.
 */
export class Http2RequestBody {
  readonly #client: ServerHttp2Stream
  readonly #onBytes: (bytes: number) => void
  readonly #copies: BodyCopy[] = []
  #upstream: ClientHttp2Stream | undefined
  /** What was sent on, in case that the upstream refuses it unprocessed; undefined once that cannot be. */
  #kept: Buffer[] | undefined = []
  #keptBytes = 0
  #trailers: RawBlock | undefined
  #isReading = false
  #isWhole: boolean

  /** @param isEmpty the head was all of the request @param onBytes as they are read */
  constructor(client: ServerHttp2Stream, isEmpty: boolean, onBytes: (bytes: number) => void) {
    this.#client = client
    this.#onBytes = onBytes
    this.#isWhole = isEmpty
    client.on('trailers', (received: ReceivedHeaders, _flags: number, raw: readonly string[]) => {
      this.#trailers = { raw, received }
    })
  }

  /** All of it came. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Whether another upstream can have all that the first one had. */
  get isKept(): boolean {
    return this.#kept !== undefined
  }

  copyTo(copy: BodyCopy): void {
    this.#copies.push(copy)
  }

  sendTo(upstream: ClientHttp2Stream): void {
    this.#upstream = upstream
    upstream.on('wantTrailers', () => {
      // Node ends what it resets, too: without trailers nothing looks complete.
      if (this.#isWhole && !upstream.closed) upstream.sendTrailers(blockOf(this.#trailers))
    })
    upstream.on('drain', () => this.#upstream === upstream && this.#client.resume())
    for (const chunk of this.#kept ?? []) upstream.write(chunk)
    if (this.#isWhole) upstream.end()
    else if (this.#isReading) this.#client.resume()
    else this.#read()
  }

  /** The upstream of the moment gets no more of it. */
  stop(): void {
    this.#upstream = undefined
  }

  /** No other upstream will be asked. */
  forget(): void {
    this.#kept = undefined
  }

  #read(): void {
    this.#isReading = true
    this.#client.on('data', (chunk: Buffer) => {
      this.#onBytes(chunk.length)
      this.#keep(chunk)
      for (const copy of this.#copies) copy.write(chunk)
      if (!this.#upstream || this.#upstream.writableEnded || this.#upstream.destroyed) return
      if (!this.#upstream.write(chunk)) this.#client.pause()
    })
    this.#client.on('end', () => {
      // A stream that was reset ends too, but is not complete.
      if (this.#client.aborted || this.#client.rstCode) return
      this.#isWhole = true
      this.#upstream?.end()
      for (const copy of this.#copies) copy.end(this.#trailers)
    })
  }

  #keep(chunk: Buffer): void {
    if (!this.#kept) return
    this.#keptBytes += chunk.length
    if (this.#keptBytes > http2Limits.keptBodyBytes) this.#kept = undefined
    else this.#kept.push(chunk)
  }
}

const blockOf = (trailers: RawBlock | undefined) => (trailers ? passOn(trailers.raw, trailers.received) : {})
