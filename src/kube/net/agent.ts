import http from 'node:http'
import { isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type tls from 'node:tls'
import type { ClusterAccess, Credentials } from '../config/access.ts'
import { dial } from './dial.ts'
import { hostOf, proxyFor } from './proxy.ts'

export interface AgentOptions {
  readonly connectTimeoutMs: number
  readonly env?: NodeJS.ProcessEnv
  /** A clock that goes on while the machine sleeps, in milliseconds. */
  readonly now?: () => number
}

/**
 * How long an idle connection is used again, in milliseconds. A longer one may be dead with nobody knowing: the laptop has
 * slept, or has another address; what is sent on it waits for a time-out.
 */
const freshMs = 2_000

/** Keep-alive connections to one API server, through whatever proxy leads there. Also carries upgrades (`ws`). */
export class ClusterAgent extends http.Agent {
  readonly protocol: string
  readonly defaultPort: number
  readonly #dial: () => Promise<Socket>
  readonly #now: () => number
  /** Idle connections, and since when. */
  readonly #idleSince = new WeakMap<Duplex, number>()

  constructor(access: ClusterAccess, credentials: Pick<Credentials, 'cert' | 'key'>, options: AgentOptions) {
    super({ keepAlive: true, maxFreeSockets: 4, scheduling: 'lifo' })
    this.#now = options.now ?? Date.now
    const server = new URL(access.server)
    const secure = server.protocol === 'https:'
    this.protocol = server.protocol
    this.defaultPort = secure ? 443 : 80
    const host = hostOf(server)
    const target = {
      host,
      port: Number(server.port || this.defaultPort),
      proxy: proxyFor(server, access.proxyUrl, options.env),
      timeoutMs: options.connectTimeoutMs,
    }
    const tlsOptions: tls.ConnectionOptions = {
      servername: access.tlsServerName ?? (isIP(host) === 0 ? host : ''),
      host: access.tlsServerName ?? host,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: access.insecure !== true,
      ...(access.ca === undefined ? {} : { ca: access.ca }),
      ...(credentials.cert === undefined ? {} : { cert: credentials.cert }),
      ...(credentials.key === undefined ? {} : { key: credentials.key }),
    }
    this.#dial = () => dial(secure ? { ...target, tls: tlsOptions } : target)
  }

  override createConnection(_options: unknown, ready?: (error: Error | null, stream: Duplex) => void): undefined {
    this.#dial().then(
      (socket) => ready?.(null, socket),
      // On failure there is no socket to give; the types have no case for that.
      (error: Error) => (ready as ((error: Error) => void) | undefined)?.(error),
    )
  }

  override keepSocketAlive(socket: Duplex): boolean {
    this.#idleSince.set(socket, this.#now())
    // The types say nothing of what it returns: whether the socket is kept.
    return super.keepSocketAlive(socket) as unknown as boolean
  }

  /** Closes connections that have been idle for so long that they may be dead. */
  dropStale(): void {
    for (const socket of Object.values(this.freeSockets).flat()) {
      if (socket && this.#now() - (this.#idleSince.get(socket) ?? 0) > freshMs) socket.destroy()
    }
  }
}
