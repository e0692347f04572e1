import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { asSocket } from '../outbound/as-socket.ts'

/** Idle connections are closed after so long, before most servers do. Milliseconds. */
const idleMs = 4_000
/** A connection is used for so long: one that is older than somebody's intercept would not follow it. Milliseconds. */
const maxAgeMs = 5_000

/**
 * A keep-alive agent whose connections are what `open` gives, such as streams of a tunnel; their errors come as 'error'
 * events. @param tls undefined for plain HTTP
 */
export function tunnelAgent(
  open: () => Duplex,
  tls: { readonly servername: string; readonly verify: boolean } | undefined,
): HttpAgent {
  const idle = new WeakMap<Duplex, NodeJS.Timeout>()
  const openedAt = new WeakMap<Duplex, number>()
  const options = { keepAlive: true, scheduling: 'lifo' } as const
  const agent = tls ? new HttpsAgent(options) : new HttpAgent(options)
  return Object.assign(agent, {
    createConnection: () => {
      const stream = asSocket(open())
      const connection = tls
        ? connectTls({ socket: stream, servername: tls.servername, rejectUnauthorized: tls.verify })
        : stream
      openedAt.set(connection, performance.now())
      return connection
    },
    keepSocketAlive: (stream: Duplex) => {
      if (performance.now() - (openedAt.get(stream) ?? 0) > maxAgeMs) return false
      idle.set(
        stream,
        setTimeout(() => stream.destroy(), idleMs),
      )
      stream.once('close', () => clearTimeout(idle.get(stream)))
      return true
    },
    reuseSocket: (stream: Duplex) => clearTimeout(idle.get(stream)),
  })
}
