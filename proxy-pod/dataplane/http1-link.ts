import type { Tunnel } from '../../src/tunnel/types.ts'
import { LaptopUpstream } from './laptop-upstream.ts'
import type { Claim } from './route.ts'
import type { Upstream, UpstreamEvents } from './upstream.ts'

/**
 * An upstream of one client's HTTP/1.1 connection, used for one exchange after another. It belongs to that client
 * alone: what an origin ties to a connection (a login, a chosen backend) stays with who it is for.
 */
export class Http1Link implements UpstreamEvents {
  /** Undefined: the origin. */
  readonly claim: Claim | undefined
  readonly #upstream: Upstream
  readonly #onGone: (link: Http1Link) => void
  #user: UpstreamEvents | undefined
  #isAccepted = false
  #isOver = false
  #exchanges = 0

  constructor(claim: Claim | undefined, open: (events: UpstreamEvents) => Upstream, onGone: (link: Http1Link) => void) {
    this.claim = claim
    this.#onGone = onGone
    this.#upstream = open(this)
  }

  get kind(): 'laptop' | 'origin' {
    return this.#upstream.kind
  }

  /** The laptop behind it. */
  get tunnel(): Tunnel | undefined {
    return this.#upstream instanceof LaptopUpstream ? this.#upstream.tunnel : undefined
  }

  get isAccepted(): boolean {
    return this.#isAccepted
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** True where an earlier exchange used it: its other end may just be closing it. */
  get isReused(): boolean {
    return this.#exchanges > 1
  }

  get isInUse(): boolean {
    return this.#user !== undefined
  }

  use(user: UpstreamEvents): void {
    this.#user = user
    this.#exchanges += 1
  }

  /** The exchange is over, the link may serve another. */
  free(): void {
    this.#user = undefined
  }

  write(chunk: Buffer): boolean {
    return this.#upstream.write(chunk)
  }

  end(): void {
    this.#upstream.end()
  }

  consumed(): void {
    this.#upstream.consumed()
  }

  reset(): void {
    if (this.#over()) this.#upstream.reset()
  }

  /** Closes it in peace. */
  abandon(): void {
    if (this.#over()) this.#upstream.abandon()
  }

  /** Refuses on the laptop's behalf what it has not accepted yet. */
  giveUpWaiting(reason: string): void {
    if (this.#upstream instanceof LaptopUpstream) this.#upstream.giveUpWaiting(reason, this)
  }

  onAccept(): void {
    this.#isAccepted = true
    this.#user?.onAccept()
  }

  onRefuse(reason: string): void {
    const user = this.#user
    if (this.#over()) user?.onRefuse(reason)
  }

  onData(chunk: Buffer): boolean {
    if (this.#user) return this.#user.onData(chunk)
    // Nobody has asked, such as a 408 before the end.
    this.reset()
    return true
  }

  onEnd(): void {
    if (this.#user) this.#user.onEnd()
    else this.abandon()
  }

  onReset(): void {
    const user = this.#user
    if (this.#over()) user?.onReset()
  }

  onDrain(): void {
    this.#user?.onDrain()
  }

  /** @returns whether it was not over before. */
  #over(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#user = undefined
    this.#onGone(this)
    return true
  }
}
