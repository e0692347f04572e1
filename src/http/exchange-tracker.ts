import { MessageScanner } from './message-scanner.ts'

/** One finished exchange: a request and its final response. */
export interface Exchange {
  readonly method: string
  /** Request target as sent, such as `/orders?limit=1`. */
  readonly target: string
  readonly status: number
  /** From the request's head to the end of the response. */
  readonly milliseconds: number
}

interface Asked {
  readonly method: string
  readonly target: string
  readonly at: number
}

const maxPipelined = 64
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Follows the HTTP/1.1 exchanges of one connection to tell when it is between two of them: everything asked has been
 * answered in full. At that moment the connection can go on with another upstream and its client does not notice.
 * Anything that is not plainly HTTP/1.1 (another protocol, an upgrade, ambiguous framing) makes it opaque for good.
 * Never changes a byte.
 */
export class ExchangeTracker {
  readonly #requests: MessageScanner
  readonly #responses: MessageScanner
  /** Requests whose response is not complete. */
  readonly #asked: Asked[] = []
  #status = 0
  #opaque = false
  #isLast = false
  #isAnswering = false

  constructor(onExchange?: (exchange: Exchange) => void) {
    const onLast = (): void => {
      this.#isLast = true
    }
    this.#requests = new MessageScanner('request', {
      onLast,
      onHead: (method, target) => {
        this.#asked.push({ method, target, at: onExchange ? performance.now() : 0 })
      },
    })
    this.#responses = new MessageScanner('response', {
      onLast,
      methodAnswered: () => this.#asked[0]?.method,
      onHead: (status) => {
        this.#status = Number(status)
      },
      onComplete: () => {
        const asked = this.#asked.shift()
        this.#isAnswering = false
        if (!asked || !onExchange) return
        const { method, target, at } = asked
        onExchange({ method, target, status: this.#status, milliseconds: performance.now() - at })
      },
    })
  }

  /** True between two exchanges, and before the first; not after one that was announced as the last. */
  get isIdle(): boolean {
    return (
      !this.#opaque &&
      !this.#isLast &&
      this.#asked.length === 0 &&
      this.#requests.atBoundary &&
      this.#responses.atBoundary
    )
  }

  /**
   * True where exactly one request is under way, whole, with a safe method (RFC 9110, 9.2.1), and no byte of its answer
   * has come: asking somebody else again changes nothing.
   */
  get isRepeatable(): boolean {
    const [only, ...more] = this.#asked
    if (this.#opaque || !only || more.length > 0 || !safeMethods.has(only.method)) return false
    return this.#requests.atBoundary && this.#responses.atBoundary && !this.#isAnswering
  }

  /** True once the connection cannot be followed. */
  get isOpaque(): boolean {
    return this.#opaque
  }

  fromClient(chunk: Buffer): void {
    if (!this.#opaque) this.#settle(this.#requests.scan(chunk))
  }

  fromUpstream(chunk: Buffer): void {
    this.#isAnswering = true
    if (!this.#opaque) this.#settle(this.#responses.scan(chunk))
  }

  #settle(understood: boolean): void {
    if (!understood || this.#asked.length > maxPipelined) this.#opaque = true
  }
}
