import type { Carrier } from './types.ts'

const unset = () => undefined

/**
 * One end of a pipe in memory, for tests and for both halves in one process. Messages arrive on a later turn, in
 * order. `silence` loses everything from now on and tells nobody, as a pulled cable does.
 */
export class MemoryCarrier implements Carrier {
  onMessage: (message: Buffer) => void = unset
  onClose: (reason: string) => void = unset
  onDrain: () => void = unset
  bufferedBytes = 0
  #peer: MemoryCarrier | undefined
  #queue: Buffer[] = []
  #delivering = false
  #closed = false
  #silent = false
  #stalled = false
  /** Messages that were sent from this end. */
  sent = 0

  static pair(): [MemoryCarrier, MemoryCarrier] {
    const one = new MemoryCarrier()
    const other = new MemoryCarrier()
    one.#peer = other
    other.#peer = one
    return [one, other]
  }

  get closed(): boolean {
    return this.#closed
  }

  send(chunks: readonly Buffer[]): void {
    if (this.#closed || this.#silent) return
    this.sent += 1
    const [only] = chunks
    const message = chunks.length === 1 && only ? only : Buffer.concat(chunks)
    this.bufferedBytes += message.length
    this.#queue.push(message)
    if (this.#delivering) return
    this.#delivering = true
    setImmediate(() => this.#deliver())
  }

  close(code: number, reason: string): void {
    if (this.#closed) return
    this.#deliver()
    this.#shut(`${code} ${reason}`)
    if (!this.#silent && this.#peer) this.#peer.#shut(`${code} ${reason}`)
  }

  /** Breaks: the first `delivered` of the messages under way in each direction still arrive, the others never. */
  break(delivered = 0): void {
    for (const end of [this, this.#peer]) {
      if (!end) continue
      end.#queue.length = Math.min(end.#queue.length, delivered)
      end.#deliver()
    }
    this.#shut('broken')
    if (this.#peer) this.#peer.#shut('broken')
  }

  silence(): void {
    this.#silent = true
    this.#queue = []
    if (this.#peer) {
      this.#peer.#silent = true
      this.#peer.#queue = []
    }
  }

  /** What is sent from this end arrives no more, as if the other did not read. */
  stall(): void {
    this.#stalled = true
  }

  #deliver(): void {
    this.#delivering = false
    if (this.#stalled) return
    const messages = this.#queue
    this.#queue = []
    this.bufferedBytes = 0
    for (const message of messages) if (this.#peer && !this.#peer.#closed) this.#peer.onMessage(message)
    if (messages.length > 0) this.onDrain()
  }

  #shut(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#queue = []
    setImmediate(() => this.onClose(reason))
  }
}
