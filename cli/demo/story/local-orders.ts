import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type FSWatcher, readFileSync, watch, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { InterceptError } from '../../../src/errors.ts'
import { freePorts } from '../cluster/network/free-port.ts'
import { ordersScript } from '../shop/orders-script.ts'
import { spawnGuarded } from './guard.ts'

const startMs = 10_000
const retryMs = 15

/** `orders` on this machine: a file that is there to be edited, and its process, started again on each save. */
export class LocalOrders {
  readonly file: string
  readonly port: number
  /** Told after each restart, with how long it took; `error` where the new code does not run. */
  onRestart: (restart: { ms: number; error: string | undefined }) => void = () => undefined
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv
  #source = ''
  #child: ChildProcess | undefined
  #stderr = ''
  #watcher: FSWatcher | undefined
  #busy: Promise<void> | undefined
  #closed = false

  private constructor(folder: string, port: number, inventoryUrl: string) {
    this.#folder = folder
    this.file = join(folder, 'orders.mjs')
    this.port = port
    this.#env = { ...process.env, WHO: 'laptop', HOST: '127.0.0.1', PORT: String(port), INVENTORY_URL: inventoryUrl }
  }

  static async start(folder: string, inventoryUrl: string): Promise<LocalOrders> {
    const [port = 0] = await freePorts('127.0.0.1', 1)
    const orders = new LocalOrders(folder, port, inventoryUrl)
    writeFileSync(orders.file, ordersScript)
    const error = await orders.#run()
    if (error !== undefined) throw new InterceptError('demo-local', `the local orders did not start: ${error}`)
    orders.#watcher = watch(folder, () => void orders.#changed())
    return orders
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#watcher?.close()
    await this.#busy
    await this.#kill()
  }

  async #changed(): Promise<void> {
    if (this.#busy || this.#closed) return
    this.#busy = this.#restart()
    await this.#busy
    this.#busy = undefined
    if (!this.#closed && this.#read() !== this.#source) await this.#changed()
  }

  async #restart(): Promise<void> {
    const source = this.#read()
    if (source === this.#source || source === '') return
    const started = performance.now()
    await this.#kill()
    const error = await this.#run()
    this.onRestart({ ms: Math.round(performance.now() - started), error })
  }

  /** '' while an editor replaces the file. */
  #read(): string {
    try {
      return readFileSync(this.file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
      throw error
    }
  }

  /** Resolves once it listens, or with the reason why it ended instead. */
  async #run(): Promise<string | undefined> {
    this.#source = this.#read()
    this.#stderr = ''
    const child = spawnGuarded(this.#folder, [this.file], this.#env)
    this.#child = child
    child.stdout?.resume()
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000)
    })
    const deadline = Date.now() + startMs
    while (Date.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) return firstError(this.#stderr)
      if (await listens(this.port)) return undefined
    }
    return `nothing listens on port ${this.port} after ${startMs} ms`
  }

  async #kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
}

function firstError(stderr: string): string {
  return /^\w*Error.*$/m.exec(stderr)?.[0] ?? stderr.trim().split('\n').at(-1) ?? 'it ended'
}

/** Tries once; waits a moment where nothing listens yet, since no event tells when another process listens. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => {
      socket.destroy()
      setTimeout(() => resolve(false), retryMs)
    })
  })
}
