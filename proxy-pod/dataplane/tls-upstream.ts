import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'

/** What is spoken inside TLS, as far as we can follow it. */
export type TlsProtocol = 'h2' | 'http/1.1'

/** How whoever answers a client whose TLS ended here is asked: as that client asked us. */
export interface UpstreamTls {
  /** The host that the client named; undefined: none. */
  readonly servername: string | undefined
  /** What was agreed on with the client; undefined: nothing was. */
  readonly protocol: TlsProtocol | undefined
}

/**
 * TLS over a connection, which may still be connecting. The certificate is not verified: who the endpoints of a Service
 * are, the cluster says; the authority that signed for them is known to their clients, not to us. Emits 'secureConnect'.
 */
export function startTls(carrier: Duplex, { servername, protocol }: UpstreamTls): TLSSocket {
  return startTlsOffering(carrier, servername, protocol === undefined ? [] : [protocol])
}

/** The same with several protocols to choose from. @param protocols empty: none is asked for */
export function startTlsOffering(
  carrier: Duplex,
  servername: string | undefined,
  protocols: readonly string[],
): TLSSocket {
  const socket = connect({
    socket: carrier,
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
    ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
  })
  carrier.on('error', (error) => socket.destroy(error))
  return resettable(socket, carrier)
}

/** Node cannot reset a TLS socket: what carries it is reset instead. */
export function resettable(socket: TLSSocket, carrier: Duplex): TLSSocket {
  socket.resetAndDestroy = () => {
    if (carrier instanceof Socket) carrier.resetAndDestroy()
    else carrier.destroy()
    return socket.destroy()
  }
  return socket
}
