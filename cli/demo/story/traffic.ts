import { request } from 'node:http'
import { messageOf } from '../../../src/errors.ts'
import { dictOf, stringOf } from '../cluster/json.ts'
import { emptyTally, type Phase, type Tally } from './tally.ts'

export interface Answer {
  readonly kind: keyof Tally
  /** The pod's name, `laptop`, or what went wrong. */
  readonly who: string
  readonly message: string
  readonly atMs: number
}

const timeoutMs = 10_000
const items = ['espresso', 'cortado', 'croissant', 'baklava']
const kept = 200

/** Orders something from the shop every so often, whether or not the last order is answered, and keeps count. */
export class Traffic {
  readonly tallies: Record<Phase, Tally> = { before: emptyTally(), during: emptyTally(), after: emptyTally() }
  readonly byWho = new Map<string, number>()
  readonly recent: Answer[] = []
  /** Requests count for the phase in which they were sent. */
  phase: Phase = 'before'
  onAnswer: (answer: Answer) => void = () => undefined
  readonly #target: { readonly host: string; readonly port: number }
  readonly #pending = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout
  #sent = 0

  constructor(target: { readonly host: string; readonly port: number }, everyMs: number) {
    this.#target = target
    this.#timer = setInterval(() => this.#send(), everyMs)
  }

  /** Sends no more, and waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#pending)
  }

  #send(): void {
    const { phase } = this
    const item = items[this.#sent % items.length] ?? 'espresso'
    this.#sent += 1
    const pending = this.#order(item).then((answer) => {
      this.#pending.delete(pending)
      this.tallies[phase][answer.kind] += 1
      this.byWho.set(answer.who, (this.byWho.get(answer.who) ?? 0) + 1)
      this.recent.push(answer)
      if (this.recent.length > kept) this.recent.shift()
      this.onAnswer(answer)
    })
    this.#pending.add(pending)
  }

  #order(item: string): Promise<Answer> {
    return new Promise((resolve) => {
      const done = (kind: keyof Tally, who: string, message: string) =>
        resolve({ kind, who, message, atMs: Date.now() })
      const call = request(
        { ...this.#target, path: `/api/order?item=${item}`, agent: false, timeout: timeoutMs },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
          })
          response.on('error', (error) => done('failed', messageOf(error), ''))
          response.on('end', () => {
            const { who, message } = readAnswer(text)
            if (response.statusCode !== 200 || who === undefined)
              done('failed', `${response.statusCode} ${text.slice(0, 200)}`, '')
            else done(who === 'laptop' ? 'laptop' : 'cluster', who, message ?? '')
          })
        },
      )
      call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)))
      call.on('error', (error) => done('failed', messageOf(error), ''))
      call.end()
    })
  }
}

function readAnswer(text: string): { who: string | undefined; message: string | undefined } {
  try {
    const { who, message } = dictOf(JSON.parse(text))
    return { who: stringOf(who), message: stringOf(message) }
  } catch (error) {
    return { who: undefined, message: messageOf(error) }
  }
}
