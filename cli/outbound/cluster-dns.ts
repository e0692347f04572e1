import { framed, MessageReader, maxMessageBytes } from '../../src/dns/framing.ts'
import { idOf, isAnswer, isQuery, withId } from '../../src/dns/header.ts'
import { InterceptError } from '../../src/errors.ts'
import type { TunnelStream } from '../../src/tunnel/index.ts'
import { type TunnelWaiter, waitForTunnel } from './wait-for-tunnel.ts'

export const clusterDnsLimits = {
  /** How long a query waits for a tunnel that is down, in milliseconds: what resolvers wait for a server. */
  waitForTunnelMs: 5_000,
  /** How long for its answer; the proxy pod gives up at about half of that. */
  answerMs: 10_000,
  /** Queries of one stream; each needs an ID of its own. */
  mostQueries: 4_096,
}

export interface DnsWay extends TunnelWaiter {
  /** A stream of DNS messages. @throws TunnelError 'tunnel-down' */
  openDns(namespace: string): TunnelStream
}

interface Query {
  readonly message: Buffer
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  readonly resolve: (answer: Buffer) => void
  readonly reject: (error: unknown) => void
  /** How often it was asked. */
  asked: number
}

/** The DNS of the cluster, as a pod of a namespace has it: many queries at once over one stream of the tunnel. */
export class ClusterDns {
  readonly #way: DnsWay
  readonly #namespace: string
  readonly #limits: typeof clusterDnsLimits
  #stream: DnsStream | undefined
  #closed = false

  constructor(way: DnsWay, namespace: string, limits: typeof clusterDnsLimits = clusterDnsLimits) {
    this.#way = way
    this.#namespace = namespace
    this.#limits = limits
  }

  /**
   * The answer to a DNS message (without a length before it), with the message's own ID. Asked once more where the
   * stream dies meanwhile.
   * @throws InterceptError 'bad-query' (not a query), 'tunnel-down', 'dns-timeout', 'dns-busy', what the proxy pod
   * refuses with ('bad-destination': an older one); what `signal` aborts with
   */
  async query(message: Buffer, signal?: AbortSignal): Promise<Buffer> {
    signal?.throwIfAborted()
    if (!isQuery(message) || message.length > maxMessageBytes) {
      throw new InterceptError('bad-query', `${message.length} bytes that are no DNS query`)
    }
    const late = AbortSignal.timeout(this.#limits.answerMs)
    const over = signal ? AbortSignal.any([signal, late]) : late
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        over.removeEventListener('abort', abort)
        then()
      }
      const query: Query = {
        message,
        signal: over,
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
        asked: 0,
      }
      const abort = (): void => {
        this.#stream?.forget(query)
        const seconds = this.#limits.answerMs / 1_000
        query.reject(late.aborted ? new InterceptError('dns-timeout', `no answer in ${seconds} s`) : over.reason)
      }
      over.addEventListener('abort', abort, { once: true })
      this.#ask(query).catch(query.reject)
    })
  }

  /** Ends the stream; what is under way is rejected with 'tunnel-down'. */
  close(): void {
    this.#closed = true
    this.#stream?.close()
  }

  async #ask(query: Query): Promise<void> {
    query.asked += 1
    // Its proxy pod may be gone for good, and another be there.
    if (this.#stream?.stalled) this.#stream.close()
    if (!this.#stream) {
      await waitForTunnel(this.#way, { waitMs: this.#limits.waitForTunnelMs, signal: query.signal })
    }
    query.signal.throwIfAborted()
    if (this.#closed) throw new InterceptError('tunnel-down', 'the way into the cluster was closed')
    this.#stream ??= this.#open()
    this.#stream.send(query, this.#limits.mostQueries)
  }

  #open(): DnsStream {
    const opened: DnsStream = new DnsStream(this.#way.openDns(this.#namespace), (unanswered, error) => {
      if (this.#stream === opened) this.#stream = undefined
      for (const query of unanswered) {
        const isOver = error.code !== streamLost || query.asked > 1 || this.#closed
        if (isOver) query.reject(error)
        else this.#ask(query).catch(query.reject)
      }
    })
    return opened
  }
}

/** The stream was there, and is no more. */
const streamLost = 'tunnel-down'

/** One stream, and the queries that it has not answered. */
class DnsStream {
  readonly #stream: TunnelStream
  readonly #onOver: (unanswered: readonly Query[], error: InterceptError) => void
  readonly #reader = new MessageReader()
  /** By their ID on the wire. */
  readonly #queries = new Map<number, Query>()
  #lastId = 0
  #over = false

  constructor(stream: TunnelStream, onOver: (unanswered: readonly Query[], error: InterceptError) => void) {
    this.#stream = stream
    this.#onOver = onOver
    stream.handle({
      onData: (chunk) => {
        stream.consumed(chunk.length)
        for (const message of this.#reader.read(chunk)) this.#answered(message)
      },
      onEnd: () => this.close(),
      onReset: (code) => this.#end(new InterceptError(streamLost, `the stream of DNS messages was reset: ${code}`)),
      onRefuse: (code, message) => this.#end(new InterceptError(code, message)),
      onDrain: () => undefined,
    })
  }

  /** Its carrier is known to be down. */
  get stalled(): boolean {
    return this.#stream.stalled
  }

  /** @throws InterceptError 'dns-busy' */
  send(query: Query, most: number): void {
    if (this.#queries.size >= most) throw new InterceptError('dns-busy', `${most} DNS queries are under way`)
    do this.#lastId = (this.#lastId + 1) & 0xffff
    while (this.#queries.has(this.#lastId))
    this.#queries.set(this.#lastId, query)
    this.#stream.write(framed(withId(query.message, this.#lastId)))
  }

  /** Its answer, where one comes, is nobody's. */
  forget(query: Query): void {
    for (const [id, one] of this.#queries) if (one === query) this.#queries.delete(id)
  }

  close(): void {
    if (!this.#over) this.#stream.reset('closed')
    this.#end(new InterceptError(streamLost, 'the stream of DNS messages has ended'))
  }

  #answered(message: Buffer): void {
    const id = idOf(message)
    const query = id === undefined || !isAnswer(message) ? undefined : this.#queries.get(id)
    if (id === undefined || !query) return
    this.#queries.delete(id)
    query.resolve(withId(message, idOf(query.message) ?? 0))
  }

  #end(error: InterceptError): void {
    if (this.#over) return
    this.#over = true
    const unanswered = [...this.#queries.values()]
    this.#queries.clear()
    this.#onOver(unanswered, error)
  }
}
