import { InterceptError } from '../../src/errors.ts'
import { type BodyReader, bodyReader } from '../../src/http/body-reader.ts'
import { HeadReader } from '../../src/http/head-reader.ts'
import { MessageError } from '../../src/http/message-error.ts'
import type { RequestMessage } from '../../src/http/request-message.ts'
import { parseResponse } from '../../src/http/response-message.ts'
import type { Copies, CopyPlace } from './copies.ts'
import { LaptopUpstream } from './laptop-upstream.ts'
import { type Claim, type Route, tlsToLocal, usableTunnel } from './route.ts'
import type { UpstreamEvents } from './upstream.ts'

export const mirrorLimits = {
  /** Copies under way on one port; a request that comes while there are so many has none. */
  copies: 64,
  /** Bytes of a copy that the laptop has not taken; a copy that has more is dropped. */
  unsentBytes: 256 * 1024,
  /** How long a copy may take, with its answer. Milliseconds. */
  copyMs: 60_000,
}

/**
 * A copy of one request, for the laptop of a mirroring Intercept. Its answer is read to its end, for the local process to
 * be served like any, and dropped. Nobody waits for a copy; one that cannot keep up is reset.
 */
export class MirrorCopy implements UpstreamEvents {
  readonly #upstream: LaptopUpstream
  readonly #place: CopyPlace
  readonly #method: string
  readonly #timer: NodeJS.Timeout
  readonly #head = new HeadReader()
  #body: BodyReader | undefined
  #unsent = 0
  #isAccepted = false
  #isBlocked = false
  #isOver = false

  /** @returns undefined where the laptop cannot be asked, or has too much to do. */
  static start(
    route: Route,
    claim: Claim,
    request: RequestMessage,
    client: string,
    copies: Copies,
  ): MirrorCopy | undefined {
    const tunnel = usableTunnel(claim)
    if (!tunnel || request.asksUpgrade || request.method === 'CONNECT' || !route.health.mayTry(tunnel)) return undefined
    const place = copies.take(claim.intercept)
    if (!place) {
      route.health.inconclusive(tunnel)
      return undefined
    }
    const header = { intercept: claim.intercept, port: route.port, proto: 'tcp', client }
    try {
      return new MirrorCopy(
        (events) =>
          new LaptopUpstream(tunnel, header, claim.acceptTimeoutMs, route.health, events, tlsToLocal(route, claim)),
        request.method,
        place,
      )
    } catch (error) {
      place.giveBack()
      if (!(error instanceof InterceptError)) throw error
      route.health.inconclusive(tunnel)
      return undefined
    }
  }

  private constructor(open: (events: UpstreamEvents) => LaptopUpstream, method: string, place: CopyPlace) {
    this.#method = method
    this.#place = place
    this.#upstream = open(this)
    this.#timer = setTimeout(() => this.reset(), mirrorLimits.copyMs)
  }

  /** Takes a copy of the chunk, which stays the caller's. */
  write(chunk: Buffer): void {
    if (this.#isOver) return
    const takesMore = this.#upstream.write(Buffer.from(chunk))
    // Until the accept nothing is known to have left.
    if (!this.#isAccepted || this.#isBlocked || !takesMore) this.#unsent += chunk.length
    this.#isBlocked ||= !takesMore
    if (this.#unsent > mirrorLimits.unsentBytes) this.reset()
  }

  reset(): void {
    if (this.#over()) this.#upstream.reset()
  }

  onAccept(): void {
    this.#isAccepted = true
    if (!this.#isBlocked) this.#unsent = 0
  }

  onRefuse(): void {
    this.#over('refused')
  }

  onData(chunk: Buffer): boolean {
    try {
      if (this.#isAnswered(chunk) && this.#over()) this.#upstream.abandon()
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      this.reset()
    }
    return true
  }

  onEnd(): void {
    if (this.#over()) this.#upstream.abandon()
  }

  onReset(): void {
    this.#over()
  }

  onDrain(): void {
    this.#isBlocked = false
    this.#unsent = 0
  }

  #isAnswered(chunk: Buffer): boolean {
    let rest = chunk
    while (!this.#body) {
      const head = this.#head.read(rest)
      if (!head) return false
      rest = rest.subarray(head.taken)
      const response = parseResponse(head.bytes, this.#method)
      if (!response.isInterim) this.#body = bodyReader(response.body, 'response')
    }
    this.#body.take(rest)
    return this.#body.isDone
  }

  #over(how: keyof CopyPlace = 'giveBack'): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#place[how]()
    return true
  }
}
