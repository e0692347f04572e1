import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { supervisorScript } from './supervisor-script.ts'

export interface ContainerProcess {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** File that stdout and stderr are appended to. */
  readonly log: string
}

export interface ContainerExit {
  readonly code: number
  readonly signal: string | undefined
  /** Why it could not be started. */
  readonly error: string | undefined
}

interface Message {
  readonly id: string
  readonly pid?: number
  readonly code?: number | null
  readonly signal?: string | null
  readonly error?: string
}

const signalNumbers: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

/** Our end of the one process that starts all containers. */
export class Supervisor {
  readonly #child: ChildProcess
  readonly #exits = new Map<string, (exit: ContainerExit) => void>()
  readonly #pids = new Map<string, number>()
  #next = 1

  /** `folder` is the cluster's; the supervisor removes it at its end. */
  constructor(folder: string) {
    const script = join(folder, 'supervisor.cjs')
    writeFileSync(script, supervisorScript)
    const { NODE_OPTIONS: _, ...env } = process.env
    this.#child = spawn(process.execPath, [script, folder], {
      detached: true,
      env,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    this.#child.on('message', (message) => this.#told(message as Message))
    this.#child.on('exit', () => {
      for (const [id, pid] of this.#pids) {
        killGroup(pid)
        this.#told({ id, code: null, signal: 'SIGKILL' })
      }
    })
    this.#child.unref()
    this.#child.channel?.unref()
  }

  /** Returns the id for `signal`. `onExit` is called once. */
  start(process: ContainerProcess, onExit: (exit: ContainerExit) => void): string {
    const id = String(this.#next)
    this.#next += 1
    this.#exits.set(id, onExit)
    this.#child.send({ start: { id, ...process } }, (error) => {
      if (error) this.#told({ id, code: 128, error: error.message })
    })
    return id
  }

  /** SIGKILL reaches all processes of the container, other signals its first one. */
  signal(id: string, name: NodeJS.Signals): void {
    if (this.#exits.has(id) && this.#child.connected) this.#child.send({ signal: { id, name } })
  }

  pidOf(id: string): number | undefined {
    return this.#pids.get(id)
  }

  /** Kills every container; resolves when the supervisor is gone and the folder with it. */
  async close(): Promise<void> {
    this.#exits.clear()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.ref()
    if (this.#child.connected) this.#child.disconnect()
    await exited
  }

  #told({ id, pid, code, signal, error }: Message): void {
    if (pid !== undefined) {
      this.#pids.set(id, pid)
      return
    }
    const onExit = this.#exits.get(id)
    this.#exits.delete(id)
    this.#pids.delete(id)
    onExit?.({
      code: code ?? 128 + (signalNumbers[signal ?? ''] ?? 9),
      signal: signal ?? undefined,
      error,
    })
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
