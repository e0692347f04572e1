import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../../../src/errors.ts'
import type { Address } from '../network/reach.ts'
import { timestamp } from '../timestamp.ts'
import { NotReadyError } from './not-ready-error.ts'
import type { Container, ContainerState, ContainerStatus } from './pod.ts'
import { Prober } from './prober.ts'
import type { ContainerExit, ContainerProcess, Supervisor } from './supervisor.ts'

export interface ContainerRunOptions {
  readonly container: Container
  readonly supervisor: Supervisor
  /** Folder of its log files. */
  readonly logs: string
  /** Throws NotReadyError while something is missing. */
  prepare(): Omit<ContainerProcess, 'log'>
  reach(port: number | string): Address | undefined
  /** Whether it is started again after this exit. */
  restarts(exit: ContainerExit): boolean
  /** The status changed. */
  onChange(): void
  /** Something that an Event should tell. */
  onEvent(type: 'Normal' | 'Warning', reason: string, message: string): void
  /** First wait of the crash-loop; doubles up to 30 times of it. The first restart does not wait. */
  readonly backOffMs: number
}

const steadyMs = 10 * 60_000

/** One container: its processes one after the other, its probes, its status. */
export class ContainerRun {
  readonly #options: ContainerRunOptions
  #id: string | undefined
  #state: ContainerState = { waiting: { reason: 'ContainerCreating' } }
  #lastState: ContainerState = {}
  #restarts = 0
  #ready = false
  #startedAt = ''
  #environment: Readonly<Record<string, string>> | undefined
  #startedMs = 0
  #waitMs = 0
  #probers: Prober[] = []
  #stopping = false
  #timer: NodeJS.Timeout | undefined
  #exited: (() => void) | undefined

  constructor(options: ContainerRunOptions) {
    this.#options = options
    mkdirSync(options.logs, { recursive: true })
  }

  get ready(): boolean {
    return this.#ready
  }

  get exitCode(): number | undefined {
    return this.#state.terminated?.exitCode
  }

  get running(): boolean {
    return this.#id !== undefined
  }

  get supervisorId(): string | undefined {
    return this.#id
  }

  /** Of its last process. */
  get environment(): Readonly<Record<string, string>> | undefined {
    return this.#environment
  }

  /** True while it waits for something that is missing. */
  get blocked(): boolean {
    return this.#state.waiting !== undefined && this.#id === undefined && this.#timer === undefined
  }

  logFile(previous: boolean): string | undefined {
    const number = this.#restarts - (previous ? 1 : 0)
    return this.#startedAt === '' || number < 0 ? undefined : join(this.#options.logs, `${number}.log`)
  }

  status(): ContainerStatus {
    const { container } = this.#options
    return {
      name: container.name,
      state: this.#state,
      lastState: this.#lastState,
      ready: this.#ready,
      restartCount: this.#restarts,
      image: container.image,
      imageID: '',
      ...(this.#startedAt === '' ? {} : { containerID: `embedded://${container.name}-${this.#restarts}` }),
      started: this.#state.running !== undefined,
    }
  }

  /** Also again, while `blocked`. */
  start(): void {
    if (this.#stopping || this.#id !== undefined) return
    this.#timer = undefined
    try {
      const process = this.#options.prepare()
      const log = join(this.#options.logs, `${this.#restarts}.log`)
      writeFileSync(log, '', { flag: 'a' })
      this.#environment = process.env
      this.#startedAt = timestamp()
      this.#startedMs = Date.now()
      this.#state = { running: { startedAt: this.#startedAt } }
      this.#id = this.#options.supervisor.start({ ...process, log }, (exit) => this.#onExit(exit))
      this.#options.onEvent('Normal', 'Started', `Started container ${this.#options.container.name}`)
      this.#probe()
    } catch (error) {
      const reason = error instanceof NotReadyError ? error.reason : 'CreateContainerError'
      this.#state = { waiting: { reason, message: messageOf(error) } }
      this.#options.onEvent('Warning', reason === 'ContainerCreating' ? 'FailedMount' : 'Failed', messageOf(error))
    }
    this.#options.onChange()
  }

  /** SIGTERM now, SIGKILL after `graceMs`; resolves when it is gone. It is not started again. */
  stop(graceMs: number): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    const id = this.#id
    if (id === undefined) {
      this.#stopProbes()
      return Promise.resolve()
    }
    const { supervisor } = this.#options
    supervisor.signal(id, graceMs > 0 ? 'SIGTERM' : 'SIGKILL')
    const timer = setTimeout(() => supervisor.signal(id, 'SIGKILL'), graceMs).unref()
    return new Promise((resolve) => {
      this.#exited = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Kills its process now; whether it comes back is for the restart policy to say. */
  kill(signal: NodeJS.Signals): void {
    if (this.#id !== undefined) this.#options.supervisor.signal(this.#id, signal)
  }

  /** The cluster ends: does nothing any more, whatever happens to the process. */
  abandon(): void {
    this.#stopping = true
    clearTimeout(this.#timer)
    this.#stopProbes()
  }

  #probe(): void {
    const { container, reach } = this.#options
    const main = () => {
      if (container.livenessProbe) {
        const onVerdict = (ok: boolean) => {
          if (ok) return
          this.#options.onEvent(
            'Normal',
            'Killing',
            `Container ${container.name} failed liveness probe, will be restarted`,
          )
          this.kill('SIGTERM')
        }
        this.#probers.push(new Prober(container.livenessProbe, reach, false, onVerdict))
      }
      if (container.readinessProbe) {
        this.#probers.push(new Prober(container.readinessProbe, reach, true, (ok) => this.#setReady(ok)))
      } else this.#setReady(true)
    }
    if (!container.startupProbe) {
      main()
      return
    }
    const startup = new Prober(container.startupProbe, reach, true, (ok) => {
      startup.stop()
      if (ok) main()
      else this.kill('SIGTERM')
    })
    this.#probers.push(startup)
  }

  #setReady(ready: boolean): void {
    if (this.#ready === ready || this.#id === undefined) {
      if (this.#ready !== ready && this.#state.running) this.#ready = ready
      return
    }
    this.#ready = ready
    this.#options.onChange()
  }

  #stopProbes(): void {
    for (const prober of this.#probers) prober.stop()
    this.#probers = []
  }

  #onExit(exit: ContainerExit): void {
    this.#id = undefined
    this.#ready = false
    this.#stopProbes()
    const ended: ContainerState = {
      terminated: {
        exitCode: exit.code,
        reason: exit.error ? 'StartError' : exit.code === 0 ? 'Completed' : 'Error',
        ...(exit.error ? { message: exit.error } : {}),
        startedAt: this.#startedAt,
        finishedAt: timestamp(),
      },
    }
    if (this.#stopping || !this.#options.restarts(exit)) {
      this.#state = ended
      this.#options.onChange()
      this.#exited?.()
      return
    }
    this.#lastState = ended
    if (Date.now() - this.#startedMs > steadyMs) this.#waitMs = 0
    const wait = this.#waitMs
    this.#waitMs = Math.min(wait === 0 ? this.#options.backOffMs : wait * 2, this.#options.backOffMs * 30)
    const again = () => {
      this.#restarts += 1
      this.start()
    }
    this.#timer = setTimeout(again, wait)
    if (wait > 0) {
      const message = `back-off ${Math.round(wait / 1_000)}s restarting failed container=${this.#options.container.name}`
      this.#state = { waiting: { reason: 'CrashLoopBackOff', message } }
      this.#options.onEvent(
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${this.#options.container.name}`,
      )
      this.#timer.unref()
    } else this.#state = ended
    this.#options.onChange()
  }
}
