import type { InterceptError } from '../errors.ts'

/**
 * What the rest of the house sees of a tunnel. A tunnel joins a laptop to one proxy pod: a few lanes, each a
 * resumable session on one carrier at a time; a stream lives on one lane.
 */

/** JSON object that opens a stream, at most `tunnelLimits.headerBytes` encoded. The tunnel does not look inside. */
export type StreamHeader = { readonly [key: string]: unknown }

/** What the owner of a stream is told. All are called on the turn the frame arrived; none may throw. */
export interface StreamHandlers {
  /** Opener only: the peer accepted. Bytes written before count as delivered to it from now on. */
  onAccept?(): void
  /** Opener only: nothing of this stream was delivered to anyone; another upstream may be tried. */
  onRefuse?(code: string, message: string): void
  /** Bytes, in order. The handler owns the chunk. It must call `stream.consumed(n)` when they are off its hands. */
  onData(chunk: Buffer): void
  /** The peer half-closed; no more onData. We may go on writing. */
  onEnd(): void
  /** The stream is dead in both directions: the peer's reset, a protocol error, or a lost session. */
  onReset(code: string): void
  /** A `write` that returned false may go on. */
  onDrain(): void
  /** One datagram (header.proto 'udp'); dropped where undefined. */
  onDatagram?(datagram: Buffer): void
}

/** One stream. After `reset`, `refuse`, onRefuse or onReset it is dead and its methods do nothing. */
export interface TunnelStream {
  readonly header: StreamHeader
  /** Set once, before the next turn of the event loop; frames that arrived before are delivered then. */
  handle(handlers: StreamHandlers): void
  /** Takes ownership of the chunk. False: stop until onDrain (what was given is kept all the same). */
  write(chunk: Buffer): boolean
  /** Half-close of our direction, after all that was written. */
  end(): void
  /** Kills both directions at once. `code` reaches the peer's onReset. */
  reset(code?: string): void
  /** Acceptor only. */
  accept(): void
  /** Acceptor only, instead of accept. */
  refuse(code: string, message: string): void
  /** Gives the peer credit for bytes that onData delivered. */
  consumed(bytes: number): void
  /** Best effort, dropped under pressure; at most 65,507 bytes. */
  sendDatagram(datagram: Buffer): void
  /** True once the carrier of its lane is known to be down; the stream waits for resumption. */
  readonly stalled: boolean
}

/**
 * connecting: no lane was ever up. up: at least one lane has a carrier, new streams may be opened.
 * down: had a carrier, none now, sessions may still resume. closed: over, every stream was reset.
 */
export type TunnelState = 'connecting' | 'up' | 'down' | 'closed'

export interface TunnelStats {
  readonly streams: number
  /** Stream payload bytes since the start. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Smoothed round trip of the best lane in milliseconds; undefined before the first acknowledgement. */
  readonly roundTripMs: number | undefined
}

export interface TunnelEvents {
  /** A stream that the peer opened. Call `stream.handle` in this call. */
  onStream(stream: TunnelStream): void
  onState(state: TunnelState, detail: TunnelStateDetail): void
  /** The peer takes no new streams (`open` throws 'tunnel-draining') and will close when the open ones are done. */
  onDraining?(reason: string): void
}

export interface TunnelStateDetail {
  readonly reason?: string
  /** With 'up' after 'down'. */
  readonly downMs?: number
  /** What stands behind 'closed'; or, while 'connecting' (told again each time), behind a dial that failed. */
  readonly error?: InterceptError
}

export interface Tunnel {
  /** Unique for the life of the tunnel, random; chosen by the client, the same on both sides. */
  readonly id: string
  readonly state: TunnelState
  readonly stats: TunnelStats
  /** On the least loaded lane that is up; throws TunnelError 'tunnel-down' where state is not 'up'. */
  open(header: StreamHeader): TunnelStream
  /** Tells the peer (GOAWAY), then closes: with 'drain' once the open streams are done, with 'now' at once. */
  close(how: 'drain' | 'now', reason?: string): Promise<void>
}

/** A message pipe that can break: one WebSocket, or two arrays in a test. Delivers whole messages in order. */
export interface Carrier {
  /** Sends one binary message made of `chunks`. Takes ownership. */
  send(chunks: readonly Buffer[]): void
  /** Bytes given to send and not yet taken by the kernel. */
  readonly bufferedBytes: number
  close(code: number, reason: string): void
  /** Set once by its user. `message` may be a view on a bigger buffer. */
  onMessage: (message: Buffer) => void
  /** Called once, also after our own close. */
  onClose: (reason: string) => void
  /** bufferedBytes fell; called after it had grown above a high-water mark of the carrier. */
  onDrain: () => void
}
