import { setTimeout as delay } from 'node:timers/promises'
import { backoff } from './backoff.ts'
import { isKubeError, KubeError } from './error.ts'
import { listAll } from './list.ts'
import { ObjectStore } from './object-store.ts'
import type { Transport } from './transport.ts'
import type { Informer, KubeObject, ListOptions, ResourceType } from './types.ts'
import { type WatchEvent, watchOnce } from './watch.ts'

/** Milliseconds, unless named otherwise. */
export interface InformerTuning {
  readonly watchSeconds: number
  /** Servers send a bookmark about once a minute. */
  readonly watchIdleMs: number
  readonly watchAnswerMs: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
  /** A watch that lived this long resets the back-off. */
  readonly stableMs: number
}

export const informerTuning: InformerTuning = {
  watchSeconds: 240,
  watchIdleMs: 130_000,
  watchAnswerMs: 30_000,
  backoffMinMs: 200,
  backoffMaxMs: 10_000,
  stableMs: 5_000,
}

interface InformerOptions {
  tuning: Partial<InformerTuning>
  signal?: AbortSignal | undefined
}

/** Answers after which a caller should not wait for the first list; the informer itself goes on trying. */
const hopeless = ['forbidden', 'denied', 'not-found', 'credentials-expired'] as const

/** Starts at once. Objects in it have no `metadata.managedFields`: they are most of the memory and nobody reads them. */
export function startInformer<T extends KubeObject>(
  transport: Transport,
  type: ResourceType,
  options: ListOptions,
  { tuning, signal }: InformerOptions,
): Informer<T> {
  return new ListWatch<T>(transport, type, options, { ...informerTuning, ...tuning }, signal)
}

class ListWatch<T extends KubeObject> implements Informer<T> {
  readonly synced: Promise<void>
  readonly #transport: Transport
  readonly #type: ResourceType
  readonly #options: ListOptions
  readonly #tuning: InformerTuning
  readonly #store = new ObjectStore<T>()
  readonly #listeners = new Set<() => void>()
  readonly #stop = new AbortController()
  readonly #settle: { resolve(): void; reject(error: KubeError): void }
  #fresh = false
  /** Where the watch goes on; undefined: list first. */
  #resourceVersion: string | undefined

  constructor(
    transport: Transport,
    type: ResourceType,
    options: ListOptions,
    tuning: InformerTuning,
    signal?: AbortSignal,
  ) {
    this.#transport = transport
    this.#type = type
    this.#options = options
    this.#tuning = tuning
    let settle: { resolve(): void; reject(error: KubeError): void } | undefined
    this.synced = new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
    this.#settle = settle as NonNullable<typeof settle>
    // Whoever does not await `synced` is not to be ended by an unhandled rejection.
    this.synced.catch(() => undefined)
    if (signal?.aborted) this.stop()
    signal?.addEventListener('abort', () => this.stop(), { once: true, signal: this.#stop.signal })
    void this.#run()
  }

  get fresh(): boolean {
    return this.#fresh
  }

  list(): readonly T[] {
    return this.#store.list()
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#store.get(namespace, name)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): void {
    this.#stop.abort()
    this.#fresh = false
    this.#listeners.clear()
    this.#settle.reject(new KubeError('aborted', `The informer of ${this.#type.plural} was stopped`))
  }

  async #run(): Promise<void> {
    const pause = backoff(this.#tuning.backoffMinMs, this.#tuning.backoffMaxMs)
    const { signal } = this.#stop
    while (!signal.aborted) {
      const begun = performance.now()
      try {
        if (this.#resourceVersion === undefined) await this.#list()
        await this.#watch()
      } catch (error) {
        if (signal.aborted) return
        this.#failed(error)
      }
      if (performance.now() - begun >= this.#tuning.stableMs) pause.reset()
      try {
        await delay(pause.next(), undefined, { signal })
      } catch (error) {
        if (signal.aborted) return
        throw error
      }
    }
  }

  async #list(): Promise<void> {
    const { items, resourceVersion } = await listAll<T>(this.#transport, this.#type, this.#options)
    if (this.#stop.signal.aborted) return
    this.#store.replace(items)
    this.#resourceVersion = resourceVersion
    this.#fresh = true
    this.#settle.resolve()
    this.#notify()
  }

  async #watch(): Promise<void> {
    const { watchSeconds, watchIdleMs, watchAnswerMs } = this.#tuning
    const timeoutSeconds = Math.ceil(watchSeconds * (0.75 + Math.random() / 2))
    let opened = false
    const handlers = {
      onOpen: () => {
        opened = true
        this.#fresh = true
      },
      onEvent: (event: WatchEvent<T>) => this.#apply(event),
    }
    const limits = { timeoutSeconds, idleMs: watchIdleMs, answerMs: watchAnswerMs }
    const from = this.#resourceVersion ?? ''
    try {
      await watchOnce<T>(this.#transport, this.#type, this.#options, from, limits, handlers, this.#stop.signal)
    } catch (error) {
      // A watch that went silent is dialled again from where it was; whether the server answers shows then.
      if (!(opened && isKubeError(error, 'timeout'))) throw error
    }
  }

  #apply(event: WatchEvent<T>): void {
    this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion
    if (event.type === 'BOOKMARK') return
    if (event.type === 'DELETED') this.#store.remove(event.object)
    else this.#store.put(event.object)
    this.#notify()
  }

  #failed(error: unknown): void {
    this.#fresh = false
    // After anything but a failed connection only a list tells what is true now.
    if (!isKubeError(error, 'api-unreachable', 'too-many-requests', 'timeout')) this.#resourceVersion = undefined
    if (isKubeError(error, ...hopeless)) this.#settle.reject(error)
    if (!isKubeError(error)) throw error
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener()
      } catch (error) {
        // The listener's bug is not the watch's: it surfaces as an uncaught exception.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }
}
