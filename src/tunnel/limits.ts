import { TunnelError } from './error.ts'

/** Every limit of a tunnel: its default, its unit (the name's ending) and its reason. One place. */
export const tunnelLimits = {
  /** Carriers of one tunnel, as the client dials them. */
  lanes: 3,
  /** Highest number of lanes that a server lets a client have. */
  maxLanes: 8,
  /** Streams that the peer may have open in one tunnel, all lanes together. */
  maxStreams: 1_024,
  /** JSON of a stream's header. */
  headerBytes: 4_096,
  /** Payload of a DATA frame that we send; a big stream is interrupted this often. */
  frameBytes: 32 * 1_024,
  /**
   * The same for a stream that nobody waits behind: one, or two in one message, fill whole records of TLS (16 KiB), with
   * the headers of frame (8), packet (13) and WebSocket (8).
   */
  aloneFrameBytes: 64 * 1_024 - 29,
  /** The same where the link is slow enough for a frame to be felt. */
  slowFrameBytes: 16 * 1_024,
  /** What one carrier message is filled up to; it may exceed this by one frame. */
  packetBytes: 64 * 1_024,
  /** Credit of a stream that has just been opened. */
  streamWindowBytes: 64 * 1_024,
  /** What a stream's window may grow to. */
  maxStreamWindowBytes: 8 * 1_024 * 1_024,
  /** What all windows of a tunnel may grow together, above `maxStreams * streamWindowBytes`. */
  windowPoolBytes: 32 * 1_024 * 1_024,
  /** Unsent bytes of one stream at which its writer is asked to stop. */
  streamQueueBytes: 256 * 1_024,
  /** Unsent bytes of one lane above which every writer is asked to stop at once. */
  laneQueueBytes: 16 * 1_024 * 1_024,
  /** Unsent datagrams of one lane; more are dropped. */
  datagramQueueBytes: 256 * 1_024,
  /** Unsent control frames of one lane; a peer that makes us exceed it breaks the protocol. */
  controlQueueBytes: 1_024 * 1_024,
  /** Sent and not yet acknowledged, kept for a resumption: the upper end of what is in flight. */
  replayBytes: 8 * 1_024 * 1_024,
  /** Sent and not yet acknowledged packets, however small. */
  replayPackets: 8_192,
  /** The lower end of what is in flight. */
  minInFlightBytes: 32 * 1_024,
  /** What is in flight before the first measurement. */
  initialInFlightBytes: 256 * 1_024,
  /** In flight = delivery rate * (flightGain * least round trip + flightSlackMs). */
  flightGain: 1.25,
  /** Time that a turn of a busy event loop may take without leaving the link idle. */
  flightSlackMs: 10,
  /** A round trip below this is a near link: small streams share a lane, and so each write. */
  nearMs: 5,
  /** An acknowledgement that nobody asked for waits this long for data to travel with. */
  ackDelayMs: 25,
  /** Bytes in a carrier's own buffer above which nothing more is given to it. */
  carrierBufferBytes: 512 * 1_024,
  /** A carrier that was silent for this long is asked for a sign of life. */
  pingMs: 2_000,
  /** A carrier that was silent for this long is dead. */
  deadMs: 6_000,
  /** How long a session without carrier is kept. */
  graceMs: 60_000,
  /** Client: how long one dial may take. */
  dialMs: 10_000,
  /** From an open carrier to an authenticated one. */
  handshakeMs: 10_000,
  /** One message of the handshake. */
  handshakeBytes: 16 * 1_024,
  /** Server: carriers that are not authenticated yet; the oldest gives way. */
  maxHandshakes: 64,
  /** Server: authenticated tunnels. */
  maxTunnels: 256,
  /** Client: a carrier that lived shorter than this did not work, and is not redialled at once. */
  workedMs: 1_000,
  /** Redial: at once, then after this, doubled each time. */
  backoffMinMs: 100,
  backoffMaxMs: 3_000,
  /** How long `close` waits for the peer to have heard it. */
  closeMs: 1_000,
}

export type TunnelLimits = Readonly<typeof tunnelLimits>

/** Wire maximum of a DATA payload; ours are smaller. */
export const maxDataBytes = 64 * 1_024
/** Wire maximum of a datagram: UDP over IPv4. */
export const maxDatagramBytes = 65_507
/** Wire maximum of a carrier message: what a packet can reach, rounded up. */
export const maxMessageBytes = 256 * 1_024

/** Defaults with some replaced; throws TunnelError 'bad-limits'. */
export function limitsOf(some: Partial<TunnelLimits> = {}): TunnelLimits {
  const limits = { ...tunnelLimits, ...some }
  for (const [name, value] of Object.entries(limits)) {
    if (!(value > 0)) throw new TunnelError('bad-limits', `${name} must be more than 0`)
  }
  const rules: readonly (readonly [boolean, string])[] = [
    [
      Math.max(limits.frameBytes, limits.aloneFrameBytes, limits.slowFrameBytes) <= maxDataBytes,
      `frameBytes, aloneFrameBytes and slowFrameBytes must be at most ${maxDataBytes}`,
    ],
    [limits.packetBytes <= 2 * maxDataBytes, `packetBytes must be at most ${2 * maxDataBytes}`],
    [limits.headerBytes <= maxDataBytes, `headerBytes must be at most ${maxDataBytes}`],
    [
      limits.maxStreamWindowBytes >= limits.streamWindowBytes,
      'maxStreamWindowBytes must be at least streamWindowBytes',
    ],
    [limits.replayBytes >= limits.minInFlightBytes, 'replayBytes must be at least minInFlightBytes'],
    [limits.deadMs > limits.pingMs, 'deadMs must be more than pingMs'],
  ]
  const broken = rules.find(([kept]) => !kept)
  if (broken) throw new TunnelError('bad-limits', broken[1])
  return limits
}
