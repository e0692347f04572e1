import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { InterceptError, messageOf } from '../../../src/errors.ts'
import { endInhabitants, networkNamespaceOf } from './inhabitants.ts'
import { type FromKeeper, graceMs, programErrors, type ToKeeper } from './protocol.ts'

/** The keeper's own bundle, beside that of the command line. */
const besideUs = fileURLToPath(new URL('./keeper.js', import.meta.url))

/** The process that lives in the namespaces of a twin, and made them. */
export class KeeperProcess {
  readonly #process: ChildProcess
  readonly #onMessage: (message: FromKeeper, handle: Server | Socket | undefined) => void
  /** Resolves when it has ended, with what its standard error said; or why it did not start. */
  readonly #end: Promise<string>
  #ended = false
  /** Of the twin; known once the keeper has said something from there. */
  #namespace: ReturnType<typeof heldNamespace>
  #said = ''

  /** @param isRoot without a namespace of users: who is root needs none, and would lose by it */
  constructor(
    isRoot: boolean,
    onMessage: (message: FromKeeper, handle: Server | Socket | undefined) => void,
    bundle = besideUs,
  ) {
    this.#onMessage = onMessage
    const namespaces = ['--net', '--mount', ...(isRoot ? [] : ['--user', '--map-root-user'])]
    const child = spawn('unshare', [...namespaces, '--', process.execPath, bundle], {
      // The terminal is for the program, which the keeper starts; what the keeper itself says is for us.
      stdio: [0, 1, 'pipe', 'ipc', programErrors.outside],
      serialization: 'advanced',
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    this.#process = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = `${this.#said}${text}`.slice(-2_000)
    })
    child.on('message', (message: FromKeeper, handle) => {
      this.#namespace ??= heldNamespace(child.pid ?? 0)
      this.#onMessage(message, handle as Server | Socket | undefined)
    })
    this.#end = new Promise((resolve) => {
      const over = (why: string): void => {
        this.#ended = true
        resolve(why)
      }
      child.once('error', (error) => over(error.message))
      child.once('exit', (code, signal) => {
        const why = (): string => this.#said.trim() || `it ended with ${signal ?? code}`
        this.#endInhabitants().then(
          () => over(why()),
          (error: unknown) => over(`${why()}; ${messageOf(error)}`),
        )
      })
    })
  }

  send(message: ToKeeper): void {
    if (this.#process.connected) this.#process.send(message)
  }

  /** Ends what runs in the twin, and then the twin. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.send({ kind: 'end' })
    await this.#end
  }

  /** The first message for which `pick` has an answer, or throws. @throws InterceptError 'no-twin' where it ends before */
  first<T>(pick: (message: FromKeeper, handle: Server | Socket | undefined) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (message: FromKeeper, handle: unknown): void => {
        try {
          const picked = pick(message, handle as Server | Socket | undefined)
          if (picked === undefined) return
          resolve(picked)
        } catch (error) {
          reject(error)
        }
        this.#process.off('message', look)
      }
      this.#process.on('message', look)
      void this.#end.then((why) => {
        this.#process.off('message', look)
        reject(new InterceptError('no-twin', why))
      })
    })
  }

  /** Where the keeper was killed, what it kept is still there. */
  async #endInhabitants(): Promise<void> {
    const twin = this.#namespace
    if (!twin) return
    try {
      if (twin.name !== networkNamespaceOf(process.pid)) await endInhabitants(twin.name, graceMs)
    } finally {
      closeSync(twin.fd)
    }
  }
}

/** The network namespace of a process, and a file descriptor that keeps its name from going to another one. */
function heldNamespace(pid: number): { readonly name: string; readonly fd: number } | undefined {
  const name = networkNamespaceOf(pid)
  if (name === undefined) return undefined
  const fd = openSync(`/proc/${pid}/ns/net`, 'r')
  return { name, fd }
}
