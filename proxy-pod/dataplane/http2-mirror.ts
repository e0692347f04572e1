import { type ClientHttp2Stream, constants } from 'node:http2'
import { codeOf } from '../../src/errors.ts'
import type { CopyPlace } from './copies.ts'
import type { Http2Exchange } from './http2-exchange.ts'
import { passOn, type RawBlock } from './http2-headers.ts'
import { http2Limits } from './http2-limits.ts'
import type { BodyCopy } from './http2-request-body.ts'
import type { Http2Upstream, Lease } from './http2-upstream.ts'
import { mirrorLimits } from './mirror-copy.ts'

/**
 * A copy of one request, for the laptop of a mirroring Intercept. Its answer is read and dropped. Nobody waits for a
 * copy; one that the laptop does not keep up with is reset.
 */
export class Http2Mirror implements BodyCopy {
  readonly #exchange: Http2Exchange
  readonly #place: CopyPlace
  readonly #timer: NodeJS.Timeout
  /** Body that came before the laptop was ready. */
  #early: Buffer[] | undefined = []
  #earlyBytes = 0
  #ended: boolean
  #trailers: RawBlock | undefined
  #copy: ClientHttp2Stream | undefined
  #isOver = false

  constructor(exchange: Http2Exchange, upstream: Http2Upstream, place: CopyPlace) {
    this.#exchange = exchange
    this.#place = place
    this.#ended = !exchange.source.hasBody
    this.#timer = setTimeout(() => this.#drop(), mirrorLimits.copyMs)
    const { client } = exchange.source
    exchange.body.copyTo(this)
    client.once('close', () => {
      if (!this.#ended || client.rstCode !== constants.NGHTTP2_NO_ERROR) this.#drop()
    })
    upstream.lease().then(
      (lease) => this.#ask(lease),
      // A laptop that is not there gets no copies; that is all. What was given up says nothing of it.
      (error) => this.#over(codeOf(error) === 'upstream-given-up' ? 'giveBack' : 'refused'),
    )
  }

  write(chunk: Buffer): void {
    if (this.#isOver) return
    if (this.#early) {
      this.#early.push(chunk)
      this.#earlyBytes += chunk.length
    } else if (this.#copy && !this.#copy.writableEnded) this.#copy.write(chunk)
    const unsent = this.#early ? this.#earlyBytes : (this.#copy?.writableLength ?? 0)
    if (unsent > http2Limits.mirrorUnsentBytes) this.#drop()
  }

  end(trailers: RawBlock | undefined): void {
    if (this.#isOver || this.#ended) return
    this.#ended = true
    this.#trailers = trailers
    this.#copy?.end()
  }

  #ask(lease: Lease): void {
    const { raw, received, hasBody } = this.#exchange.source
    if (this.#isOver) {
      lease.end()
      return
    }
    try {
      this.#copy = lease.session.request(passOn(raw, received), { endStream: !hasBody, waitForTrailers: hasBody })
    } catch (error) {
      // Its session has just ended, or Node cannot send it: no copy then. What is not Node's word is a bug.
      if (codeOf(error) === undefined) throw error
      lease.end()
      this.#drop()
      return
    }
    this.#copy.once('close', () => {
      lease.end()
      this.#over()
    })
    // 'close' follows.
    this.#copy.on('error', () => undefined)
    this.#copy.on('wantTrailers', () => {
      if (!this.#ended || this.#copy?.closed) return
      this.#copy?.sendTrailers(this.#trailers ? passOn(this.#trailers.raw, this.#trailers.received) : {})
    })
    this.#copy.resume()
    const early = this.#early ?? []
    this.#early = undefined
    for (const chunk of early) this.write(chunk)
    if (this.#ended && hasBody) this.#copy.end()
  }

  #drop(): void {
    this.#copy?.close(constants.NGHTTP2_CANCEL)
    this.#over()
  }

  #over(how: keyof CopyPlace = 'giveBack'): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#early = undefined
    clearTimeout(this.#timer)
    this.#place[how]()
  }
}
