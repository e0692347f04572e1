import { randomBytes } from 'node:crypto'
import { type Hello, ownLimits, protocolVersion } from './handshake.ts'
import type { TunnelKeys } from './keys.ts'
import { type Dial, LaneDialer } from './lane-dialer.ts'
import { limitsOf, type TunnelLimits } from './limits.ts'
import { TunnelCore } from './tunnel-core.ts'
import type { Tunnel, TunnelEvents } from './types.ts'

export interface ConnectOptions {
  /** Makes one carrier for a lane. Rejects with a `final` TunnelError where no repetition can help. */
  readonly dial: Dial
  readonly keys: TunnelKeys
  /** Free JSON that the server's `authorize` understands; signed with the rest. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Ours, for the server's message when the two do not fit. */
  readonly clientVersion: string
  readonly events: TunnelEvents
  readonly limits?: Partial<TunnelLimits>
}

/**
 * The laptop's end. Returns at once, 'connecting'; dials all lanes and keeps them up until it is closed, a server
 * refuses for good, or nothing was up for `graceMs`. A closed tunnel stays closed: connect another.
 */
export function connectTunnel(options: ConnectOptions): Tunnel {
  const limits = limitsOf(options.limits)
  const over = new AbortController()
  const dialers = new Map<number, LaneDialer>()
  const core = new TunnelCore({
    id: randomBytes(16).toString('base64url'),
    side: 'client',
    limits,
    events: options.events,
    onLaneDown: (lane) => dialers.get(lane.index)?.dial(),
    onClosed: () => over.abort(),
  })
  const hello = (lane: { index: number; sessionId: string | undefined; received: number }): Hello => ({
    version: protocolVersion,
    clientVersion: options.clientVersion,
    tunnel: core.id,
    lane: lane.index,
    publicKey: options.keys.publicKey,
    resume: lane.sessionId === undefined ? undefined : { session: lane.sessionId, received: lane.received },
    limits: ownLimits(limits),
    claims: options.claims,
  })
  for (let index = 0; index < limits.lanes; index += 1) {
    const dialer = new LaneDialer({
      lane: core.lane(index),
      dial: options.dial,
      keys: options.keys,
      limits,
      signal: over.signal,
      hello,
      onUp: () => {
        for (const other of dialers.values()) other.hurry()
      },
      onFailed: (error) => core.onDialFailed(error),
      onFinal: (error) => core.abandon(error.code, error.message, error),
    })
    dialers.set(index, dialer)
  }
  for (const dialer of dialers.values()) dialer.dial()
  return core
}
