import type { TunnelStream } from '../../src/tunnel/index.ts'

/** A flow of datagrams that leaves from a proxy pod. After `onClosed` its methods do nothing. */
export interface UdpFlow {
  /** Best effort, as UDP is; at most 65,507 bytes. Also before it is known whether the flow comes about. */
  send(datagram: Buffer): void
  close(): void
}

export interface UdpFlowEvents {
  onDatagram(datagram: Buffer): void
  /**
   * Called once, not after `close`: 'idle' (it was silent; a new flow may be opened), an errno's code ('ECONNREFUSED':
   * ICMP said so), what the proxy pod refuses with ('name-not-found', 'not-allowed' ...), or the tunnel's end.
   */
  onClosed(code: string, message: string): void
}

/** @param stream from `WayIn.dialUdp` */
export function dialUdp(stream: TunnelStream, events: UdpFlowEvents): UdpFlow {
  let isClosed = false
  const closed = (code: string, message: string): void => {
    if (isClosed) return
    isClosed = true
    events.onClosed(code, message)
  }
  stream.handle({
    onData: (chunk) => stream.consumed(chunk.length),
    onEnd: () => stream.reset('ended'),
    onReset: (code) => closed(code, `the flow ended: ${code}`),
    onRefuse: closed,
    onDrain: () => undefined,
    onDatagram: (datagram) => {
      if (!isClosed) events.onDatagram(datagram)
    },
  })
  return {
    send: (datagram) => {
      if (!isClosed) stream.sendDatagram(datagram)
    },
    close: () => {
      isClosed = true
      stream.reset('closed')
    },
  }
}
