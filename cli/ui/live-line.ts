import type { Writable } from 'node:stream'
import { fitLine } from './fit-line.ts'
import { printable } from './printable.ts'

const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
const frameMs = 100

/** One line at the bottom of a terminal that is redrawn in place; what is printed appears above it. */
export class LiveLine {
  readonly #out: Writable & { columns?: number }
  readonly #isTty: boolean
  #text: (() => string) | undefined
  #frame = 0
  #timer: NodeJS.Timeout | undefined

  constructor(out: Writable, isTty: boolean) {
    this.#out = out
    this.#isTty = isTty
  }

  /** Shows `text()` until the next `set` or `clear`; asked again for each frame. Nothing where it is no terminal. */
  set(text: () => string): void {
    if (!this.#isTty) return
    this.#text = text
    this.#timer ??= setInterval(() => this.#draw(), frameMs)
    this.#timer.unref()
    this.#draw()
  }

  clear(): void {
    if (this.#text) this.#out.write('\r\x1b[2K')
    this.#text = undefined
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  print(text: string): void {
    this.above(() => this.#out.write(`${printable(text)}\n`))
  }

  /** For `write` to print whole lines, on whatever leads to the terminal. */
  above(write: () => void): void {
    if (this.#text) this.#out.write('\r\x1b[2K')
    write()
    this.#draw()
  }

  #draw(): void {
    if (!this.#text) return
    this.#frame = (this.#frame + 1) % frames.length
    const line = `${frames[this.#frame]} ${printable(this.#text()).replaceAll('\n', ' ')}`
    this.#out.write(`\r\x1b[2K${fitLine(line, (this.#out.columns ?? 80) - 1)}`)
  }
}
