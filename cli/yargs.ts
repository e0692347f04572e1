import yargs, { type Argv } from 'yargs'
import { InterceptError } from '../src/errors.ts'
import type { Kube } from '../src/kube/types.ts'
import { type CommandContext, type GlobalOptions, type OptionSpec, type ParsedOptions, textOf } from './command.ts'
import { commands } from './commands/index.ts'
import { ExitCode, exitCodeOf } from './exit-codes.ts'
import { outputFormatOf, outputFormats, Ui } from './ui/ui.ts'

const globalOptions: Readonly<Record<string, OptionSpec>> = {
  namespace: { type: 'string', alias: 'n', help: "Namespace of the Service (default: the kubeconfig's)" },
  context: { type: 'string', help: 'Context of the kubeconfig' },
  kubeconfig: { type: 'string', help: 'Kubeconfig file (default: KUBECONFIG, then ~/.kube/config)' },
  'system-namespace': {
    type: 'string',
    help: 'Namespace of the proxy pods',
    default: process.env.INTERCEPT_SYSTEM_NAMESPACE ?? 'intercept-system',
  },
  output: { type: 'string', alias: 'o', help: 'Output', choices: outputFormats, default: 'text' },
}

/** Parses, runs, prints errors. @returns the exit code */
export async function runCli(args: readonly string[]): Promise<number> {
  const dashes = args.indexOf('--')
  // yargs reads -ojson as five flags.
  const own = (dashes < 0 ? args : args.slice(0, dashes)).map((arg) => arg.replace(/^-o=?(.+)$/, '--output=$1'))
  const rest = dashes < 0 ? [] : args.slice(dashes + 1)
  const first = commandWord(own)
  const entry = commands.find((command) => command.usage.split(' ')[0] === first)
  // Only the command that is meant is loaded; `intercept svc/orders` has no name.
  const wantsHelp = own.includes('--help') || own.includes('-h') || own.length === 0
  const command = entry
    ? await entry.load()
    : wantsHelp && !first
      ? undefined
      : (await import('./commands/intercept.ts')).intercept
  const json = own.some(
    (arg, index) => arg === '--output=json' || (/^(-o|--output)$/.test(arg) && own[index + 1] === 'json'),
  )
  let exitCode: number = ExitCode.Ok
  try {
    let parser = yargs([...own])
      .scriptName('intercept')
      .locale('en')
      .usage('$0 svc/NAME --port PORT    answer a Service of the cluster from this machine')
      .parserConfiguration({
        'populate--': false,
        'duplicate-arguments-array': true,
        'parse-numbers': false,
        'boolean-negation': false,
      })
      .version(false)
      .help('help')
      .alias('help', 'h')
      .wrap(Math.min(100, process.stdout.columns ?? 100))
      .strict()
      .exitProcess(false)
      .fail((message, error) => {
        if (error && error.name !== 'YError') throw error
        throw new InterceptError('usage', message ?? error?.message ?? 'unusable arguments', {
          fix: `intercept ${entry ? first : ''} --help`.replace('  ', ' '),
        })
      })
    for (const other of commands) if (other !== entry) parser = parser.command(other.usage, other.help)
    // What a command redefines is its own: yargs would add the choices up.
    parser = withOptions(parser, without(globalOptions, command?.options ?? {}))
    if (command) {
      parser = parser.command(
        entry ? command.usage : '$0 <target>',
        command.help,
        (builder) => {
          const withAll = withOptions(builder, command.options ?? {})
          for (const [example, what] of command.examples ?? []) withAll.example(example, what)
          if (command.details) withAll.epilogue(command.details)
          return withAll
        },
        async (parsed) => {
          const options = lastGiven(parsed as ParsedOptions, { ...globalOptions, ...command.options })
          const ui = new Ui(outputFormatOf(textOf(options, 'output')))
          try {
            exitCode = (await command.run(contextOf(ui, options, rest), options)) ?? ExitCode.Ok
          } finally {
            ui.live.clear()
          }
        },
      )
    }
    if (own.length === 0) parser.showHelp('log')
    else await parser.parseAsync()
    return exitCode
  } catch (error) {
    new Ui(json ? 'json' : 'text').error(error)
    return exitCodeOf(error)
  }
}

/** The word that may name a command: only global options stand before one. `--as list` names none. */
function commandWord(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? ''
    if (!arg.startsWith('-')) return arg
    if (takesValue(arg)) index += 1
    else if (!takesValue(arg.replace(/=.*$/, '')) && !/^(-h|--help)$/.test(arg)) return undefined
  }
  return undefined
}

/** An option that is given twice has its last value, as kubectl has it; but one that may be repeated has all. */
function lastGiven(parsed: ParsedOptions, specs: Readonly<Record<string, OptionSpec>>): ParsedOptions {
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [
      name,
      Array.isArray(value) && specs[name] && !specs[name].many ? value.at(-1) : value,
    ]),
  )
}

function without<T>(all: Readonly<Record<string, T>>, names: object): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !(name in names)))
}

/** True for a global option whose value is the next word: `-n shop list`. */
function takesValue(arg: string | undefined): boolean {
  return Object.entries(globalOptions).some(
    ([name, { alias }]) => arg === `--${name}` || (alias && arg === `-${alias}`),
  )
}

function withOptions<T>(parser: Argv<T>, options: Readonly<Record<string, OptionSpec>>): Argv<T> {
  for (const [name, spec] of Object.entries(options)) {
    parser.option(name, {
      describe: spec.help,
      type: spec.many ? 'array' : spec.type,
      ...(spec.many ? { string: spec.type === 'string', nargs: 1 } : { requiresArg: spec.type !== 'boolean' }),
      ...(spec.alias ? { alias: spec.alias } : {}),
      ...(spec.default === undefined ? {} : { default: spec.default }),
      ...(spec.choices ? { choices: spec.choices } : {}),
      ...(spec.type === 'number' ? { coerce: (value: number) => numberOf(name, value) } : {}),
    })
  }
  return parser
}

function numberOf(name: string, value: number): number {
  if (!Number.isNaN(value)) return value
  throw new InterceptError('usage', `--${name} is not a number`, { fix: 'intercept COMMAND --help' })
}

function contextOf(ui: Ui, parsed: ParsedOptions, rest: readonly string[]): CommandContext {
  const text = (name: string): string | undefined => (typeof parsed[name] === 'string' ? parsed[name] : undefined)
  const global: GlobalOptions = {
    namespace: text('namespace'),
    context: text('context'),
    kubeconfig: text('kubeconfig'),
    systemNamespace: text('system-namespace') ?? 'intercept-system',
  }
  let connected: Promise<Kube> | undefined
  return {
    ui,
    global,
    rest,
    kube: () => {
      connected ??= import('../src/kube/index.ts').then(({ connectKube }) =>
        connectKube({
          ...(global.kubeconfig === undefined ? {} : { kubeconfig: global.kubeconfig }),
          ...(global.context === undefined ? {} : { context: global.context }),
          ...(global.namespace === undefined ? {} : { namespace: global.namespace }),
        }),
      )
      return connected
    },
  }
}
