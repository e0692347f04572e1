import { InterceptError, messageOf } from '../errors.ts'
import { Backoff } from './backoff.ts'
import { shakeHands } from './client-handshake.ts'
import { TunnelError } from './error.ts'
import type { Hello, Welcome } from './handshake.ts'
import type { TunnelKeys } from './keys.ts'
import type { Lane } from './lane.ts'
import type { TunnelLimits } from './limits.ts'
import type { Carrier } from './types.ts'

export type Dial = (lane: number, signal: AbortSignal) => Promise<Carrier>

export interface LaneDialerOptions {
  readonly lane: Lane
  readonly dial: Dial
  readonly keys: TunnelKeys
  readonly limits: TunnelLimits
  /** Aborted when the tunnel is closed. */
  readonly signal: AbortSignal
  hello(lane: Lane): Hello
  onUp(): void
  /** Will be tried again. */
  onFailed(error: InterceptError): void
  /** Will not. */
  onFinal(error: InterceptError): void
}

/** Keeps one lane of the client on a carrier: dials, greets, attaches, and again when the carrier is lost. */
export class LaneDialer {
  readonly #options: LaneDialerOptions
  readonly #backoff: Backoff
  #dialing = false
  #upSince = 0
  #hurry: (() => void) | undefined

  constructor(options: LaneDialerOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.limits)
  }

  /** The lane has no carrier. */
  dial(): void {
    if (this.#dialing || this.#options.signal.aborted) return
    this.#dialing = true
    if (this.#upSince > 0 && performance.now() - this.#upSince >= this.#options.limits.workedMs) this.#backoff.reset()
    void this.#untilUp()
  }

  /** The network works again, as another lane has found out: do not wait any longer. */
  hurry(): void {
    this.#hurry?.()
  }

  async #untilUp(): Promise<void> {
    const { signal, lane } = this.#options
    while (!signal.aborted) {
      await this.#wait(this.#backoff.next())
      if (signal.aborted) return
      try {
        await this.#connect()
        return
      } catch (cause) {
        if (signal.aborted) return
        const error =
          cause instanceof InterceptError ? cause : new TunnelError('dial-failed', messageOf(cause), { cause })
        if (error.code === 'session-unknown' || error.code === 'bad-ack') {
          lane.lose('session-lost')
          this.#backoff.reset()
        } else if (error instanceof TunnelError && error.final) {
          this.#options.onFinal(error)
          return
        }
        this.#options.onFailed(error)
      }
    }
  }

  async #connect(): Promise<void> {
    const carrier = await this.#dialOnce()
    const { lane, keys, limits, signal } = this.#options
    const hello = this.#options.hello(lane)
    await new Promise<void>((resolve, reject) => {
      shakeHands(carrier, {
        keys,
        hello,
        handshakeMs: limits.handshakeMs,
        signal,
        onFailed: reject,
        onWelcome: (welcome) => {
          try {
            this.#attach(carrier, hello, welcome)
            resolve()
          } catch (error) {
            carrier.close(4_400, 'bad welcome')
            reject(error)
          }
        },
      })
    })
  }

  #attach(carrier: Carrier, hello: Hello, welcome: Welcome): void {
    const { lane, signal } = this.#options
    if (signal.aborted) throw new TunnelError('tunnel-closed', 'the tunnel was closed meanwhile')
    if (lane.sessionId !== hello.resume?.session) throw new TunnelError('session-unknown', 'the grace is over')
    if (!hello.resume) lane.begin(welcome.session, welcome.limits)
    else if (welcome.session !== hello.resume.session) {
      throw new TunnelError('session-unknown', 'the server resumed another session')
    }
    this.#dialing = false
    this.#upSince = performance.now()
    try {
      lane.attach(carrier, welcome.received)
    } catch (error) {
      this.#dialing = true
      throw error
    }
    this.#options.onUp()
  }

  /** One dial, not longer than `dialMs`; a carrier that comes too late is closed. */
  #dialOnce(): Promise<Carrier> {
    const { dial, lane, limits, signal } = this.#options
    const abort = new AbortController()
    return new Promise<Carrier>((resolve, reject) => {
      let settled = false
      const settle = () => {
        settled = true
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
      }
      const give = (error: TunnelError) => {
        settle()
        abort.abort(error)
        reject(error)
      }
      const onAbort = () => give(new TunnelError('tunnel-closed', 'the tunnel was closed'))
      const timer = setTimeout(
        () => give(new TunnelError('dial-timeout', `no carrier in ${limits.dialMs} ms`)),
        limits.dialMs,
      )
      signal.addEventListener('abort', onAbort, { once: true })
      dial(lane.index, abort.signal).then(
        (carrier) => {
          if (settled) carrier.close(4_000, 'too late')
          else {
            settle()
            resolve(carrier)
          }
        },
        (error: unknown) => {
          if (settled) return
          settle()
          reject(error)
        },
      )
    })
  }

  #wait(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve()
    const { signal } = this.#options
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#hurry = undefined
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#hurry = done
      signal.addEventListener('abort', done, { once: true })
    })
  }
}
