import type { Duplex } from 'node:stream'
import { InterceptError } from '../../src/errors.ts'
import { duplexOf } from '../../src/tunnel/duplex-of.ts'
import { TunnelError } from '../../src/tunnel/error.ts'
import type { StreamHeader, Tunnel } from '../../src/tunnel/types.ts'
import { EndpointDial } from './endpoint-dial.ts'
import type { OriginBalancer } from './origin-balancer.ts'
import { startTls, type UpstreamTls } from './tls-upstream.ts'
import type { TunnelHealth } from './tunnel-health.ts'

/** Makes a connection that HTTP/2 is to be spoken on. Rejects with an InterceptError whose message says why not. */
export type Dial = (signal: AbortSignal) => Promise<Duplex>

/** To the first endpoint that accepts, in the balancer's order. */
export function dialEndpoint(balancer: OriginBalancer, clientAddress: string, tls?: UpstreamTls): Dial {
  return (signal) =>
    new Promise((resolve, reject) => {
      const dial = new EndpointDial(balancer, clientAddress, tls, {
        onConnected: (socket) => {
          signal.removeEventListener('abort', onAbort)
          resolve(socket)
        },
        onRefused: (reason) => {
          signal.removeEventListener('abort', onAbort)
          reject(new InterceptError('no-endpoint', reason))
        },
      })
      const onAbort = () => {
        dial.cancel()
        reject(new InterceptError('upstream-given-up', 'nobody waits for it any more'))
      }
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort)
    })
}

/** To the local process behind a tunnel. What HTTP/2 opens with goes along before the laptop has accepted. */
export function dialLaptop(
  tunnel: Tunnel,
  header: StreamHeader,
  acceptTimeoutMs: number,
  health: TunnelHealth,
  tls?: UpstreamTls,
): Dial {
  return async (signal) => {
    let isWaiting = true
    const learned = (what: 'answered' | 'inconclusive' | 'timedOut') => {
      if (!isWaiting) return
      isWaiting = false
      clearTimeout(timer)
      health[what](tunnel)
    }
    const stream = open(tunnel, header, health)
    const duplex = duplexOf(stream, () => learned('answered'))
    const timer = setTimeout(() => {
      learned('timedOut')
      duplex.destroy(new TunnelError('not-accepted-in-time', `the laptop did not accept in ${acceptTimeoutMs} ms`))
    }, acceptTimeoutMs)
    duplex.once('close', () => learned('inconclusive'))
    signal.addEventListener('abort', () => isWaiting && duplex.destroy(), { once: true })
    if (signal.aborted) duplex.destroy()
    return tls ? startTls(duplex, tls) : duplex
  }
}

function open(tunnel: Tunnel, header: StreamHeader, health: TunnelHealth) {
  try {
    return tunnel.open(header)
  } catch (error) {
    // It drains, or has as many streams as it may.
    health.inconclusive(tunnel)
    throw error
  }
}
