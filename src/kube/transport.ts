import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../errors.ts'
import type { ClusterAccess, Credentials } from './config/access.ts'
import { type Attempt, errorFromResponse, errorFromTransport, KubeError } from './error.ts'
import { ClusterAgent } from './net/agent.ts'

/** Milliseconds. */
export interface Timeouts {
  /** Until a connection is ready, proxy and TLS included. */
  readonly connectMs: number
  /** Of a whole exchange, from the first try to the last byte. */
  readonly requestMs: number
}

export const defaultTimeouts: Timeouts = { connectMs: 10_000, requestMs: 30_000 }

export interface Exchange extends Omit<Attempt, 'server' | 'context'> {
  readonly method: string
  /** JSON text. */
  readonly body?: string | undefined
  readonly contentType?: string
  /** May be sent twice where the first answer was lost. */
  readonly repeatable: boolean
}

const maxRetries = 5
const maxRetryAfterMs = 5_000

/** HTTP to one API server: credentials renewed when refused, connections kept, proxies, deadlines. */
export class Transport {
  readonly access: ClusterAccess
  readonly #timeouts: Timeouts
  readonly #signal: AbortSignal | undefined
  readonly #userAgent = `intercept/${process.env.INTERCEPT_VERSION ?? 'dev'}`
  #agent: { agent: ClusterAgent; cert: Credentials['cert']; key: Credentials['key'] } | undefined
  #renewals = 0
  #renewing: Promise<unknown> | undefined

  constructor(access: ClusterAccess, options: { timeouts?: Partial<Timeouts>; signal?: AbortSignal | undefined } = {}) {
    this.access = access
    this.#timeouts = { ...defaultTimeouts, ...options.timeouts }
    this.#signal = options.signal
  }

  /** The body of a success, as text. Everything else rejects with KubeError. */
  async exchange(exchange: Exchange): Promise<string> {
    const deadline = AbortSignal.timeout(this.#timeouts.requestMs)
    const signal = this.#signal === undefined ? deadline : AbortSignal.any([deadline, this.#signal])
    try {
      const response = await this.open(exchange, signal)
      return await textOf(response)
    } catch (error) {
      if (deadline.aborted) {
        const { server } = this.access
        const seconds = this.#timeouts.requestMs / 1000
        throw new KubeError(
          'timeout',
          `The API server ${server} did not answer ${exchange.verb} ${exchange.path} within ${seconds} s`,
          {
            cause: error,
          },
        )
      }
      throw this.#failure(error, exchange)
    }
  }

  /** The response to a success, its body still to come; `signal` also ends the body. */
  async open(exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
    let renewed = false
    let retries = 0
    let resent = false
    for (;;) {
      const renewals = this.#renewals
      let response: IncomingMessage
      try {
        response = await this.#send(exchange, signal)
      } catch (error) {
        if (error instanceof StaleConnection && exchange.repeatable && !resent) {
          resent = true
          continue
        }
        throw this.#failure(error instanceof StaleConnection ? error.cause : error, exchange)
      }
      const status = response.statusCode ?? 0
      if (status >= 200 && status < 300) return response
      const text = await textOf(response).catch((error: unknown) => {
        throw this.#failure(error, exchange)
      })
      if (status === 401 && !renewed) {
        renewed = true
        await this.#renew(renewals)
        continue
      }
      const retryAfter = Number(response.headers['retry-after'])
      if ((status === 429 || status === 503) && retryAfter >= 0 && retries < maxRetries) {
        retries += 1
        await delay(Math.min(retryAfter * 1000, maxRetryAfterMs), undefined, { signal })
        continue
      }
      throw errorFromResponse(status, text, this.#attempt(exchange))
    }
  }

  /** What a WebSocket upgrade to `path` needs; credentials are fresh. */
  async upgradeTarget(path: string): Promise<{ url: string; headers: Record<string, string>; options: object }> {
    const credentials = await this.access.credentials(false)
    return {
      url: `${this.access.server.replace(/^http/, 'ws')}${path}`,
      // The type has no place for Impersonate-Group twice; node:http and ws take arrays.
      headers: { 'user-agent': this.#userAgent, ...(credentials.headers as Record<string, string>) },
      options: { agent: this.#agentFor(credentials), handshakeTimeout: this.#timeouts.requestMs },
    }
  }

  /** Forgets the credentials, once for all that saw the same ones refused. */
  async renewCredentials(): Promise<void> {
    await this.#renew(this.#renewals)
  }

  close(): void {
    this.#agent?.agent.destroy()
    this.#agent = undefined
  }

  async #renew(seen: number): Promise<void> {
    if (seen !== this.#renewals) return
    this.#renewing ??= this.access.credentials(true).finally(() => {
      this.#renewals += 1
      this.#renewing = undefined
    })
    await this.#renewing
  }

  async #send(exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
    signal.throwIfAborted()
    const credentials = await this.access.credentials(false)
    const url = new URL(`${this.access.server}${exchange.path}`)
    const headers: http.OutgoingHttpHeaders = {
      accept: 'application/json',
      'user-agent': this.#userAgent,
      ...credentials.headers,
    }
    if (exchange.body !== undefined) {
      headers['content-type'] = exchange.contentType ?? 'application/json'
      headers['content-length'] = Buffer.byteLength(exchange.body)
    }
    const agent = this.#agentFor(credentials)
    const { request } = url.protocol === 'https:' ? https : http
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method: exchange.method, headers, agent, signal })
      outgoing.once('response', resolve)
      outgoing.once('error', (error) => {
        const code = codeOf(error)
        const stale = outgoing.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
        reject(stale ? new StaleConnection(error) : error)
      })
      outgoing.end(exchange.body)
    })
  }

  #agentFor({ cert, key }: Credentials): ClusterAgent {
    const current = this.#agent
    if (current !== undefined && same(current.cert, cert) && same(current.key, key)) {
      current.agent.dropStale()
      return current.agent
    }
    // What runs on the old one ends by itself.
    const agent = new ClusterAgent(
      this.access,
      { ...(cert && { cert }), ...(key && { key }) },
      {
        connectTimeoutMs: this.#timeouts.connectMs,
      },
    )
    this.#agent = { agent, cert, key }
    return agent
  }

  #attempt(exchange: Exchange): Attempt {
    return { ...exchange, server: this.access.server, context: this.access.context }
  }

  #failure(error: unknown, exchange: Exchange): KubeError {
    if (error instanceof KubeError) return error
    if (this.#signal?.aborted === true) return new KubeError('aborted', 'This client was stopped', { cause: error })
    return errorFromTransport(error, this.#attempt(exchange))
  }
}

/** A kept connection that the other side had closed; the request was not answered. */
class StaleConnection extends Error {
  constructor(cause: unknown) {
    super('stale connection', { cause })
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += chunk
  return text
}

function same(a: string | Buffer | undefined, b: string | Buffer | undefined): boolean {
  if (a === b) return true
  return a !== undefined && b !== undefined && Buffer.from(a).equals(Buffer.from(b))
}
