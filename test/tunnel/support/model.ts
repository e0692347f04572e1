import fc from 'fast-check'
import type { TunnelStream } from '../../../src/tunnel/index.ts'
import { byteAt, bytesFrom } from './bytes.ts'

export type End = 'client' | 'server'
export const otherEnd = (end: End): End => (end === 'client' ? 'server' : 'client')

/** One thing that happens. Streams are named by the order in which they were opened. */
export type Step =
  | { readonly do: 'open'; readonly by: End }
  | { readonly do: 'write'; readonly by: End; readonly stream: number; readonly bytes: number }
  | { readonly do: 'end'; readonly by: End; readonly stream: number }
  | { readonly do: 'reset'; readonly by: End; readonly stream: number }
  | { readonly do: 'hold' | 'release'; readonly by: End; readonly stream: number }
  | { readonly do: 'break'; readonly arrive: number }
  | { readonly do: 'turn'; readonly turns: number }

const by = fc.constantFrom<End>('client', 'server')
const stream = fc.nat(7)
const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5_000 }), fc.constant(100_000))

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const), by }) },
    { weight: 12, arbitrary: fc.record({ do: fc.constant('write' as const), by, stream, bytes: size }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), by, stream }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), by, stream }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const), by, stream }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('break' as const), arrive: fc.nat(3) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('turn' as const), turns: fc.integer({ min: 1, max: 6 }) }) },
  ),
  { minLength: 5, maxLength: 60 },
)

/** One end of one stream: does what it is told, checks every byte that arrives, remembers what was seen. */
export class ModelEnd {
  readonly stream: TunnelStream
  readonly #sendSeed: number
  readonly #receiveSeed: number
  sent = 0
  received = 0
  endedByUs = false
  resetByUs = false
  endSeen = 0
  resetSeen = 0
  mostHeld = 0
  faults: string[] = []
  #holding = false
  #held = 0

  constructor(opened: TunnelStream, index: number, end: End) {
    this.stream = opened
    this.#sendSeed = index * 2 + (end === 'client' ? 0 : 1)
    this.#receiveSeed = index * 2 + (end === 'client' ? 1 : 0)
    opened.handle({
      onAccept: () => undefined,
      onRefuse: (code) => this.faults.push(`refused: ${code}`),
      onDrain: () => undefined,
      onData: (chunk) => this.#receive(chunk),
      onEnd: () => {
        this.endSeen += 1
        if (this.resetSeen > 0 || this.resetByUs) this.faults.push('end after reset')
      },
      onReset: () => {
        this.resetSeen += 1
        if (this.resetByUs) this.faults.push('reset seen by the one who did it')
      },
    })
  }

  get over(): boolean {
    return this.resetByUs || this.resetSeen > 0
  }

  write(bytes: number): void {
    if (this.endedByUs || this.over) return
    this.stream.write(bytesFrom(this.#sendSeed, this.sent, bytes))
    this.sent += bytes
  }

  end(): void {
    if (this.over) return
    this.endedByUs = true
    this.stream.end()
  }

  reset(): void {
    if (this.over) return
    this.resetByUs = true
    this.stream.reset('told-to')
  }

  hold(): void {
    this.#holding = true
  }

  release(): void {
    this.#holding = false
    const held = this.#held
    this.#held = 0
    this.stream.consumed(held)
  }

  #receive(chunk: Buffer): void {
    if (this.endSeen > 0 || this.over) this.faults.push('data after the end')
    for (let index = 0; index < chunk.length; index += 1) {
      if (chunk[index] === byteAt(this.#receiveSeed, this.received + index)) continue
      this.faults.push(`byte ${this.received + index} is wrong`)
      break
    }
    this.received += chunk.length
    if (!this.#holding) {
      this.stream.consumed(chunk.length)
      return
    }
    this.#held += chunk.length
    this.mostHeld = Math.max(this.mostHeld, this.#held)
  }
}
