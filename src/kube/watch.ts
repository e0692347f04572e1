import { StringDecoder } from 'node:string_decoder'
import { errorFromResponse, errorFromTransport, KubeError } from './error.ts'
import { pathOf, queryOf } from './paths.ts'
import type { Transport } from './transport.ts'
import type { KubeObject, ListOptions, ResourceType } from './types.ts'

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; object: { metadata: { resourceVersion: string } } }

type RawEvent<T> = WatchEvent<T> | { type: 'ERROR'; object: { code?: number; message?: string; reason?: string } }

export interface WatchLimits {
  /** The server ends the watch after this. */
  readonly timeoutSeconds: number
  /** A watch without a byte (events, bookmarks) for this long is taken for dead. */
  readonly idleMs: number
  /** Until the response begins. */
  readonly answerMs: number
}

/**
 * One watch, until the server ends it (resolves) or it fails (rejects with KubeError: 'gone' means list again, 'timeout'
 * that the watchdog ended it). `onOpen` is called when the server has accepted it.
 */
export async function watchOnce<T extends KubeObject>(
  transport: Transport,
  type: ResourceType,
  options: ListOptions,
  resourceVersion: string,
  limits: WatchLimits,
  handlers: { onOpen(): void; onEvent(event: WatchEvent<T>): void },
  signal: AbortSignal,
): Promise<void> {
  const { labelSelector, fieldSelector } = options
  const query = queryOf({
    labelSelector,
    fieldSelector,
    watch: 1,
    allowWatchBookmarks: true,
    resourceVersion,
    timeoutSeconds: limits.timeoutSeconds,
  })
  const exchange = {
    method: 'GET',
    verb: 'watch',
    path: `${pathOf(type, options.namespace)}${query}`,
    group: type.group,
    resource: type.plural,
    namespace: type.namespaced ? options.namespace : undefined,
    repeatable: true,
  }
  const attempt = { ...exchange, server: transport.access.server, context: transport.access.context }
  const dog = new Watchdog(limits.answerMs)
  try {
    const response = await transport.open(exchange, AbortSignal.any([signal, dog.signal]))
    handlers.onOpen()
    dog.feed(limits.idleMs)
    const decoder = new StringDecoder('utf8')
    let rest = ''
    for await (const chunk of response as AsyncIterable<Buffer>) {
      dog.feed(limits.idleMs)
      const lines = (rest + decoder.write(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line.trim() === '') continue
        const event = JSON.parse(line) as RawEvent<T>
        if (event.type === 'ERROR') {
          throw errorFromResponse(
            event.object.code ?? 500,
            JSON.stringify({ ...event.object, kind: 'Status' }),
            attempt,
          )
        }
        handlers.onEvent(event)
      }
    }
  } catch (error) {
    if (dog.signal.aborted) throw new KubeError('timeout', `The watch of ${type.plural} went silent`, { cause: error })
    throw errorFromTransport(error, attempt)
  } finally {
    dog.stop()
  }
}

/** Aborts its signal when it was not fed in time. */
class Watchdog {
  readonly #abort = new AbortController()
  #timer: NodeJS.Timeout

  constructor(ms: number) {
    this.#timer = setTimeout(() => this.#abort.abort(), ms)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  feed(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#abort.abort(), ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
