import type { Kube } from '../src/kube/types.ts'
import type { Ui } from './ui/ui.ts'

/** One option of a command, as yargs has it. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean' | 'number'
  readonly help: string
  readonly alias?: string
  readonly default?: string | boolean | number
  readonly choices?: readonly string[]
  /** May be given several times; its value is an array. */
  readonly many?: boolean
  readonly placeholder?: string
}

/** Options of every command that talks to a cluster. */
export interface GlobalOptions {
  readonly namespace: string | undefined
  readonly context: string | undefined
  readonly kubeconfig: string | undefined
  readonly systemNamespace: string
}

export interface CommandContext {
  readonly ui: Ui
  readonly global: GlobalOptions
  /** The cluster that kubeconfig and options name; connected once. */
  kube(): Promise<Kube>
  /** What stands after `--`. */
  readonly rest: readonly string[]
}

export type ParsedOptions = Readonly<
  Record<string, string | boolean | number | readonly (string | number)[] | undefined>
>

/** A command is data: main.ts and yargs.ts know how to run it. The exit code is the handler's result (default 0). */
export interface Command {
  /** As yargs writes it: `leave [name]`. */
  readonly usage: string
  readonly help: string
  readonly details?: string
  readonly options?: Readonly<Record<string, OptionSpec>>
  readonly examples?: readonly (readonly [command: string, what: string])[]
  run(context: CommandContext, options: ParsedOptions): Promise<number | undefined>
}

/** The text of an option or positional; undefined where it was not given. */
export function textOf(options: ParsedOptions, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}

export function textsOf(options: ParsedOptions, name: string): string[] {
  const value = options[name]
  return Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)]
}

export const flagOf = (options: ParsedOptions, name: string): boolean => options[name] === true
