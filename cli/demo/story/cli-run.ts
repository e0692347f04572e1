import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { InterceptError } from '../../../src/errors.ts'
import { type Dict, dictOf } from '../cluster/json.ts'
import { spawnGuarded } from './guard.ts'

const killAfterMs = 15_000

/** A real `intercept ... -o json` beside us; its events as they come. */
export class CliRun {
  onEvent: (event: Dict) => void = () => undefined
  readonly #child: ChildProcess
  readonly #events: { event: Dict; atMs: number }[] = []
  readonly #waiting = new Set<() => void>()
  readonly #ended: Promise<unknown>
  #stderr = ''
  readonly startedMs = performance.now()

  /** `cli`: the file that `node` runs. */
  constructor(folder: string, cli: string, args: readonly string[], kubeconfig: string) {
    const env = { ...process.env, KUBECONFIG: kubeconfig }
    this.#child = spawnGuarded(folder, [cli, ...args, '-o', 'json'], env)
    this.#ended = once(this.#child, 'close').then(() => this.#wake())
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000)
    })
    if (this.#child.stdout) createInterface({ input: this.#child.stdout }).on('line', (line) => this.#read(line))
  }

  /** The first event of that name, and when it came (performance.now). Rejects where the command ends without it. */
  async until(name: string): Promise<{ event: Dict; atMs: number }> {
    for (;;) {
      const found = this.#events.find(({ event }) => event.event === name)
      if (found) return found
      const failure = this.#events.find(({ event }) => event.event === 'error')
      if (failure || this.#child.exitCode !== null || this.#child.signalCode !== null) {
        const told = failure ? String(dictOf(failure.event.error).message) : this.#stderr
        throw new InterceptError('demo-intercept', `intercept ended before it was '${name}': ${told}`)
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  /** Ctrl-C; resolves with the exit code. */
  async interrupt(): Promise<number | null> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), killAfterMs)
    this.#child.kill('SIGINT')
    await this.#ended
    clearTimeout(timer)
    return this.#child.exitCode
  }

  #read(line: string): void {
    if (!line.startsWith('{')) return
    const event = dictOf(JSON.parse(line))
    this.#events.push({ event, atMs: performance.now() })
    this.onEvent(event)
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
