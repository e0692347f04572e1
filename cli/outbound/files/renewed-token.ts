import { InterceptError } from '../../../src/errors.ts'
import { backoff } from '../../../src/kube/backoff.ts'
import { isKubeError, KubeError } from '../../../src/kube/error.ts'
import { known } from '../env/known.ts'
import type { Known } from '../env/resolve.ts'
import type { GrantedToken } from './service-account-token.ts'

/** As the kubelet's token manager: a fifth of its life before it ends, and once a day at the latest. */
const renewAfter = { part: 0.8, seconds: 24 * 3600 } as const
/** A laptop's timers sleep with it, its clock does not: it is looked at this often. Milliseconds. */
const lookMs = 30_000
const retryMs = { min: 1_000, max: 60_000 } as const

export interface RenewalListener {
  onRenewed(): void
  /** A renewal failed, which is tried again; told once until one works. */
  onFailing(error: InterceptError, goodUntil: Date): void
  /** After `onFailing`. */
  onRecovered(): void
}

/** A token that is replaced before it expires. */
export class RenewedToken {
  readonly #request: () => Promise<GrantedToken>
  readonly #listener: RenewalListener
  readonly #pause = backoff(retryMs.min, retryMs.max)
  #token: Known<string> = { absent: true }
  /** By the clock, in milliseconds. */
  #due = 0
  #expires = 0
  #failing = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined

  constructor(request: () => Promise<GrantedToken>, listener: RenewalListener) {
    this.#request = request
    this.#listener = listener
  }

  get token(): Known<string> {
    return this.#token
  }

  /** Asks for the first one. @throws KubeError, not where the user has no right to it or the account does not exist */
  async start(): Promise<void> {
    this.#token = await known(async () => {
      try {
        return this.#granted(await this.#request())
      } catch (error) {
        if (isKubeError(error, 'not-found')) return undefined
        // What an admission policy, or the API server's own bounds, has against it is no matter of trying again.
        if (isKubeError(error, 'denied', 'invalid')) throw new KubeError('forbidden', error.message, { cause: error })
        throw error
      }
    })
    if ('found' in this.#token) this.#wait()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #granted({ token, seconds }: GrantedToken): string {
    const now = Date.now()
    this.#expires = now + seconds * 1_000
    this.#due = now + Math.min(seconds * renewAfter.part, renewAfter.seconds) * 1_000
    return token
  }

  #wait(): void {
    if (this.#stopped) return
    const left = this.#due - Date.now()
    if (left > 0) this.#timer = setTimeout(() => this.#wait(), Math.min(left, lookMs)).unref()
    else void this.#renew()
  }

  async #renew(): Promise<void> {
    try {
      const granted = await this.#request()
      if (this.#stopped) return
      this.#token = { found: this.#granted(granted) }
      this.#pause.reset()
      this.#listener.onRenewed()
      if (this.#failing) this.#listener.onRecovered()
      this.#failing = false
    } catch (error) {
      if (!(error instanceof InterceptError)) throw error
      if (this.#stopped) return
      this.#due = Date.now() + this.#pause.next()
      if (!this.#failing) this.#listener.onFailing(error, new Date(this.#expires))
      this.#failing = true
    }
    this.#wait()
  }
}
