import { type ClientHttp2Stream, constants, type ServerHttp2Stream } from 'node:http2'
import { noDate, passOn, type RawBlock, type ReceivedHeaders } from './http2-headers.ts'

export interface AnswerEvents {
  /** Its head has come, and no other upstream's will be passed on. */
  onBegin(): void
  onBytes(bytes: number): void
  onError(error: Error): void
  /** The upstream's stream is over. Told also of one that was let go. */
  onClose(): void
}

/** Carries what an upstream answers to the client: informational heads, head, body and trailers. */
export class Http2Answer {
  readonly #upstream: ClientHttp2Stream
  readonly #client: ServerHttp2Stream
  readonly #events: AnswerEvents
  #trailers: RawBlock | undefined
  #isWhole = false
  #isLetGo = false

  constructor(upstream: ClientHttp2Stream, client: ServerHttp2Stream, events: AnswerEvents) {
    this.#upstream = upstream
    this.#client = client
    this.#events = events
    upstream.on('headers', (headers: ReceivedHeaders, _flags: number, raw: readonly string[]) => {
      if (this.#mayPass) client.additionalHeaders(passOn(raw, headers))
    })
    upstream.on('response', (headers: ReceivedHeaders, flags: number, raw: readonly string[]) => {
      if (this.#mayPass) this.#begin({ raw, received: headers }, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0)
    })
    upstream.on('trailers', (received: ReceivedHeaders, _flags: number, raw: readonly string[]) => {
      this.#trailers = { raw, received }
    })
    const resume = () => upstream.resume()
    client.on('drain', resume)
    // 'close' follows, with the code.
    upstream.on('error', (error) => events.onError(error))
    upstream.once('close', () => {
      client.off('drain', resume)
      events.onClose()
    })
  }

  /** The upstream sent all of it. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Nothing more of it reaches the client. */
  letGo(): void {
    this.#isLetGo = true
  }

  get #mayPass(): boolean {
    return !this.#isLetGo && !this.#client.closed
  }

  #begin({ raw, received }: RawBlock, endStream: boolean): void {
    const client = this.#client
    const upstream = this.#upstream
    this.#events.onBegin()
    client.on('wantTrailers', () => {
      if (this.#isWhole && !client.closed)
        client.sendTrailers(this.#trailers ? passOn(this.#trailers.raw, this.#trailers.received) : {})
    })
    client.respond(passOn(raw, received), { ...noDate, endStream, waitForTrailers: !endStream })
    // Not before: Node tells of a body that came along sooner than of its head.
    upstream.on('data', (chunk: Buffer) => {
      if (this.#isLetGo || client.writableEnded || client.destroyed) return
      this.#events.onBytes(chunk.length)
      if (!client.write(chunk)) upstream.pause()
    })
    upstream.on('end', () => {
      if (this.#isLetGo || upstream.aborted) return
      this.#isWhole = true
      if (!client.writableEnded) client.end()
    })
  }
}
