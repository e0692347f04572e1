import { framed, MessageReader } from '../../../src/dns/framing.ts'
import { isQuery } from '../../../src/dns/header.ts'
import { bareAnswer, Rcode } from '../../../src/dns/message.ts'
import type { StreamHandlers, TunnelStream } from '../../../src/tunnel/types.ts'

/** Queries of one stream that are answered at once; more wait, and then their sender does. */
const mostUnderWay = 128

/** Undefined: no answer. What it rejects with is told as SERVFAIL. */
export type AnswerMessage = (message: Buffer, signal: AbortSignal) => Promise<Buffer | undefined>

/** Accepts a stream of DNS messages and answers them in any order. Ends when its peer has, and all are answered. */
export function serveDns(stream: TunnelStream, answer: AnswerMessage): void {
  new DnsStream(stream, answer).start()
}

class DnsStream implements StreamHandlers {
  readonly #stream: TunnelStream
  readonly #answer: AnswerMessage
  readonly #reader = new MessageReader()
  readonly #gone = new AbortController()
  readonly #waiting: Buffer[] = []
  /** What came and is not consumed yet, in bytes: while messages wait, the stream's window bounds how many. */
  #owed = 0
  #underWay = 0
  #ended = false
  /** The peer does not read what we answer. */
  #crowded = false

  constructor(stream: TunnelStream, answer: AnswerMessage) {
    this.#stream = stream
    this.#answer = answer
  }

  start(): void {
    this.#stream.handle(this)
    this.#stream.accept()
  }

  onData(chunk: Buffer): void {
    this.#owed += chunk.length
    this.#waiting.push(...this.#reader.read(chunk))
    this.#begin()
  }

  onEnd(): void {
    this.#ended = true
    this.#endIfDone()
  }

  onReset(): void {
    this.#waiting.length = 0
    this.#gone.abort()
  }

  onDrain(): void {
    this.#crowded = false
    this.#begin()
  }

  #begin(): void {
    while (!this.#crowded && this.#underWay < mostUnderWay) {
      const message = this.#waiting.shift()
      if (message === undefined) break
      this.#underWay += 1
      void this.#serve(message)
    }
    if (this.#waiting.length > 0 || this.#owed === 0) return
    this.#stream.consumed(this.#owed)
    this.#owed = 0
  }

  async #serve(message: Buffer): Promise<void> {
    const { signal } = this.#gone
    const answer = await this.#answer(message, signal).catch(() =>
      isQuery(message) ? bareAnswer(message, Rcode.ServerFailure) : undefined,
    )
    this.#underWay -= 1
    if (signal.aborted) return
    if (answer !== undefined && !this.#stream.write(framed(answer))) this.#crowded = true
    this.#begin()
    this.#endIfDone()
  }

  #endIfDone(): void {
    if (this.#ended && this.#underWay === 0 && this.#waiting.length === 0) this.#stream.end()
  }
}
