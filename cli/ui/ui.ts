import type { Writable } from 'node:stream'
import pc from 'picocolors'
import { codeOf, InterceptError, messageOf } from '../../src/errors.ts'
import { LiveLine } from './live-line.ts'
import { printable } from './printable.ts'

export const outputFormats = ['text', 'json', 'yaml'] as const

export type OutputFormat = (typeof outputFormats)[number]

/** A format that is a command's own is text for all that it says besides. */
export const outputFormatOf = (name: string | undefined): OutputFormat =>
  outputFormats.find((format) => format === name) ?? 'text'

/** Something that happened, for `-o json`: one line, `event` names it. */
export interface UiEvent {
  readonly event: string
  readonly [key: string]: unknown
}

/** Everything that a person, or a program with `-o json`, reads. Results go to stdout, all else to stderr. */
export class Ui {
  readonly format: OutputFormat
  readonly live: LiveLine
  readonly #out: Writable
  readonly #err: Writable
  readonly #isTerminal: boolean

  constructor(
    format: OutputFormat,
    out: Writable & { isTTY?: boolean } = process.stdout,
    err: Writable = process.stderr,
  ) {
    this.format = format
    this.#out = out
    this.#err = err
    this.#isTerminal = out.isTTY === true
    this.live = new LiveLine(out, format === 'text' && out.isTTY === true)
  }

  /** A person looks at the results, not a program. */
  get isTerminal(): boolean {
    return this.#isTerminal
  }

  get isJson(): boolean {
    return this.format === 'json'
  }

  /** A result: `text` for people, `data` for programs. */
  result(data: unknown, text: () => string): void {
    if (this.isJson) this.#out.write(`${JSON.stringify(data, null, 2)}\n`)
    else this.live.print(text())
  }

  /** A step of a command that goes on. */
  event(event: UiEvent, text?: string): void {
    if (this.isJson) this.#out.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`)
    else if (text !== undefined) this.live.print(text)
  }

  /** Raw text on stdout, such as a manifest. */
  raw(text: string): void {
    this.#out.write(text)
  }

  warn(code: string, message: string, fix?: string): void {
    if (this.isJson) this.event({ event: 'warning', code, message, ...(fix ? { fix } : {}) })
    else this.live.print(`${pc.yellow('!')} ${message}${fix ? `\n  ${pc.dim('→')} ${fix}` : ''}`)
  }

  /** A warning beside a result that another program reads: on stderr. */
  warnAside(code: string, message: string, fix?: string): void {
    if (this.isJson) {
      this.#err.write(`${JSON.stringify({ event: 'warning', code, message, ...(fix ? { fix } : {}) })}\n`)
      return
    }
    this.live.above(() => {
      this.#err.write(`${pc.yellow('!')} ${printable(message)}\n`)
      if (fix) this.#err.write(`  ${pc.dim('→')} ${printable(fix)}\n`)
    })
  }

  error(error: unknown): void {
    this.live.clear()
    const fix = error instanceof InterceptError ? error.fix : undefined
    const message = messageOf(error)
    if (this.isJson) {
      const body = { code: codeOf(error) ?? 'internal', message, ...(fix ? { fix } : {}) }
      this.#out.write(`${JSON.stringify({ event: 'error', error: body })}\n`)
      return
    }
    this.#err.write(`${pc.red('✖')} ${printable(message)}\n`)
    if (fix) this.#err.write(`  ${pc.dim('→')} ${printable(fix)}\n`)
    if (!(error instanceof InterceptError) && error instanceof Error && error.stack) {
      this.#err.write(pc.dim(`${error.stack}\nThis is a bug of intercept; please report it with the lines above.\n`))
    }
  }
}

/** Columns padded to the widest cell, two spaces between; the header is dim. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [pc.dim(line(header)), ...rows.map(line)].join('\n')
}
