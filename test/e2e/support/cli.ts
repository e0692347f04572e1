import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'

const cli = join(import.meta.dirname, '..', '..', '..', 'dist', 'cli.js')

/** Stands in the environment of a command, and of all that it starts. */
export const RUN_VARIABLE = 'INTERCEPT_TEST_RUN'

/** The arguments with more options, before a command after `--`. */
export function withOptions(args: readonly string[], ...options: string[]): string[] {
  const at = args.indexOf('--')
  return at < 0 ? [...args, ...options] : [...args.slice(0, at), ...options, ...args.slice(at)]
}

export interface CliEvent {
  event?: string
  [key: string]: unknown
}

/** One run of the command line with `-o json`; its events as they come. */
export class CliRun {
  /** Value of RUN_VARIABLE. */
  readonly id = randomUUID()
  readonly child: ChildProcess
  readonly events: CliEvent[] = []
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  #text = ''
  stderr = ''
  readonly #waiting = new Set<() => void>()

  /** @param prefix what runs a command on the laptop, if it is another machine */
  constructor(
    args: readonly string[],
    options: { kubeconfig: string; prefix?: readonly string[]; env?: Record<string, string> },
  ) {
    const [file = process.execPath, ...rest] = [
      ...(options.prefix ?? []),
      process.execPath,
      cli,
      ...withOptions(args, '-o', 'json'),
    ]
    this.child = spawn(file, rest, {
      env: { ...process.env, KUBECONFIG: options.kubeconfig, [RUN_VARIABLE]: this.id, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      for (const wake of this.#waiting) wake()
      return { code, signal }
    })
  }

  get output(): string {
    return `${this.events.map((event) => JSON.stringify(event)).join('\n')}\n${this.#text}\n${this.stderr}`
  }

  /** The first event of that name (and that passes `test`), past or future. Rejects if the command ends without. */
  async until(event: string, test: (event: CliEvent) => boolean = () => true, timeoutMs = 60_000): Promise<CliEvent> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const found = this.events.find((one) => one.event === event && test(one))
      if (found) return found
      if (this.child.exitCode !== null || this.child.signalCode !== null || Date.now() > deadline) {
        throw new Error(`no event '${event}':\n${this.output}`)
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500)
        const wake = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    }
  }

  /** Ctrl-C, and waits for the end. @returns the exit code */
  async interrupt(): Promise<number | null> {
    this.child.kill('SIGINT')
    return (await this.ended).code
  }

  #read(text: string): void {
    this.#text += text
    const lines = this.#text.split('\n')
    this.#text = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('{') && line.endsWith('}')) this.events.push(JSON.parse(line) as CliEvent)
    }
    for (const wake of this.#waiting) wake()
  }
}

/** Runs a command to its end. `json` is its whole output parsed, where it is one document. */
export async function runCli(
  args: readonly string[],
  options: {
    kubeconfig: string
    prefix?: readonly string[]
    env?: Record<string, string>
    format?: 'json' | 'text'
    /** Another installation's `dist/cli.js`. */
    installation?: string
  },
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const format = options.format === 'text' ? [] : ['-o', 'json']
  const [file = process.execPath, ...rest] = [
    ...(options.prefix ?? []),
    process.execPath,
    options.installation ?? cli,
    ...withOptions(args, ...format),
  ]
  const child = spawn(file, rest, {
    env: { ...process.env, KUBECONFIG: options.kubeconfig, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}
