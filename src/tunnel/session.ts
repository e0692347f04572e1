import { AckWaiters } from './ack-waiters.ts'
import { ProtocolError, TunnelError } from './error.ts'
import { Heartbeat } from './heartbeat.ts'
import type { TunnelLimits } from './limits.ts'
import { type FrameSource, Outflow } from './outflow.ts'
import {
  dataPacketHeaderBytes,
  encodeAbort,
  encodeAck,
  encodeToken,
  PacketType,
  readAbort,
  readAcked,
  readAckNow,
  readPacketType,
  readPosition,
  readToken,
} from './packet.ts'
import { RecentBytes } from './recent-bytes.ts'
import type { Carrier } from './types.ts'

/** Who fills a session's stream of bytes and reads the peer's. */
export interface SessionUser extends FrameSource {
  /** More could be filled in right now. */
  readonly waiting: boolean
  /** Bytes of the peer, from `start` on, in order, each once. Throws ProtocolError where they break the protocol. */
  receive(packet: Buffer, start: number): void
  /** A turn's packets are out. */
  flushed(): void
}

/** Who answers for the session. */
export interface SessionOwner {
  /** The carrier is lost. */
  onDown(reason: string): void
  /** The session cannot go on: the protocol was broken, by the peer or (it says) by us. */
  onFailed(error: TunnelError): void
}

/**
 * A numbered stream of bytes in each direction that outlives its carriers. What is sent is kept until the peer has
 * acknowledged it, and is sent again on the next carrier from where the peer says it is. Pulls from its user, once per
 * turn of the event loop, no more than the flight allows.
 */
export class Session {
  readonly #user: SessionUser
  readonly #owner: SessionOwner
  readonly #limits: TunnelLimits
  readonly #out: Outflow
  readonly #arrivals = new RecentBytes()
  readonly #waiters = new AckWaiters()
  #carrier: Carrier | undefined
  #heartbeat: Heartbeat | undefined
  #flushing = false
  #over = false
  /** How often something came up since the last packets left, and whether it was more than once the time before. */
  #wakes = 0
  #company = false
  #sentNowAt = 0
  /** Position after the last byte received, and the one that the peer knows of. */
  #received = 0
  #ackSent = 0
  #ackSoon = false
  #ackTimer: NodeJS.Timeout | undefined

  constructor(user: SessionUser, owner: SessionOwner, limits: TunnelLimits) {
    this.#user = user
    this.#owner = owner
    this.#limits = limits
    this.#out = new Outflow(user, limits)
  }

  get up(): boolean {
    return this.#carrier !== undefined
  }

  /** What a hello that resumes must name. */
  get received(): number {
    return this.#received
  }

  get inFlightBytes(): number {
    return this.#out.inFlightBytes
  }

  get roundTripMs(): number | undefined {
    return this.#out.roundTripMs
  }

  /** Bytes under way, ours and (over the last moments) the peer's. */
  get load(): number {
    return this.#out.inFlightBytes + this.#arrivals.at(performance.now())
  }

  /**
   * Goes on over `carrier`, which must not have delivered anything yet. `peerReceived` is the peer's `received`.
   * Throws ProtocolError 'bad-ack' where the peer cannot be there.
   */
  attach(carrier: Carrier, peerReceived: number): void {
    const now = performance.now()
    this.#out.acked(peerReceived, now)
    const before = this.#carrier
    this.#leave()
    before?.close(4_000, 'replaced by another carrier')
    this.#carrier = carrier
    carrier.onMessage = (message) => this.#onMessage(carrier, message)
    carrier.onClose = (reason) => this.#onClose(carrier, reason)
    carrier.onDrain = () => this.#flush()
    this.#heartbeat = new Heartbeat({
      pingMs: this.#limits.pingMs,
      deadMs: this.#limits.deadMs,
      ping: () => carrier.send([encodeToken(PacketType.Ping, this.#received, performance.now())]),
      dead: (ms) => this.detach(`silent for ${Math.round(ms / 100) / 10} s`),
    })
    carrier.send([encodeToken(PacketType.Ping, this.#received, now)])
    this.#out.resume(carrier, peerReceived, this.#received, now)
    this.#ackSent = this.#received
    this.wake()
  }

  /** Gives the carrier up, keeps the session. */
  detach(reason: string): void {
    const carrier = this.#carrier
    if (!carrier) return
    this.#leave()
    carrier.close(4_000, reason)
    this.#owner.onDown(reason)
  }

  /**
   * Something waits to be sent: it goes out at the end of this turn of the event loop, together with what else comes
   * up until then.
   */
  wake(): void {
    this.#wakes += 1
    if (this.#flushing || !this.#carrier) return
    this.#flushing = true
    setImmediate(this.#flush)
  }

  /**
   * Sends one DATA frame at once where it has nobody to wait for: nothing is under way (as RFC 896 has it), and nothing
   * else came up in this turn or in the one before. Returns whether it did.
   */
  sendNow(stream: number, chunk: Buffer): boolean {
    const carrier = this.#carrier
    if (!carrier || this.#flushing || this.#company || this.#out.inFlightBytes > 0) return false
    const now = performance.now()
    if (now - this.#sentNowAt < sameTurnMs) return false
    this.#sentNowAt = now
    this.#wakes = 0
    this.#out.sendData(carrier, this.#received, stream, chunk, now)
    this.#ackSent = this.#received
    return true
  }

  /**
   * Resolves when the peer has acknowledged everything that was sent, or when the session ends; with `orDown` (which
   * includes what still waits to be sent) also when the carrier is lost.
   */
  acknowledged(orDown: boolean): Promise<void> {
    this.#out.askForAck()
    this.#flush()
    const nobody = this.#over || (orDown && !this.#carrier)
    const nothing = this.#out.inFlightBytes === 0 && !(orDown && this.#user.waiting)
    return nobody || nothing ? Promise.resolve() : this.#waiters.wait(this.#out.sent, orDown)
  }

  /** The next packet asks for its acknowledgement at once. */
  askForAck(): void {
    this.#out.askForAck()
  }

  /** Ends the session and its carrier; nothing is called any more. */
  end(code: number, reason: string): void {
    const carrier = this.#carrier
    if (carrier && this.#received !== this.#ackSent) carrier.send([encodeAck(this.#received)])
    this.#over = true
    this.#leave()
    this.#out.clear()
    carrier?.close(code, reason)
  }

  #leave(): void {
    const carrier = this.#carrier
    if (carrier) {
      carrier.onMessage = ignore
      carrier.onClose = ignore
      carrier.onDrain = ignore
    }
    this.#carrier = undefined
    this.#heartbeat?.stop()
    clearTimeout(this.#ackTimer)
    this.#ackTimer = undefined
    this.#waiters.lost(this.#over)
  }

  #onClose(carrier: Carrier, reason: string): void {
    if (carrier !== this.#carrier) return
    this.#leave()
    this.#owner.onDown(reason)
  }

  #onMessage(carrier: Carrier, message: Buffer): void {
    if (carrier !== this.#carrier) return
    const now = performance.now()
    this.#heartbeat?.heard(now)
    try {
      this.#onPacket(carrier, message, now)
    } catch (error) {
      // A handler of ours threw: what followed in this packet is lost, so the session must not look whole.
      this.fail(error instanceof ProtocolError ? error : new TunnelError('internal-error', 'a handler failed'))
      if (!(error instanceof ProtocolError)) throw error
    }
  }

  /** Tells the peer why, and ends. */
  fail(error: TunnelError): void {
    if (this.#over) return
    this.#carrier?.send([encodeAbort(this.#received, error.code, error.message)])
    this.end(4_400, error.code)
    this.#owner.onFailed(error)
  }

  #onPacket(carrier: Carrier, packet: Buffer, now: number): void {
    const kind = readPacketType(packet)
    // Data first: nobody waits for the acknowledgement.
    if (kind === PacketType.Data) this.#onData(packet, now)
    if (carrier !== this.#carrier) return
    this.#onAck(readAcked(packet), now)
    switch (kind) {
      case PacketType.Data:
      case PacketType.Ack:
        return
      case PacketType.Ping:
        if (this.#clogged(carrier)) return
        carrier.send([encodeToken(PacketType.Pong, this.#received, readToken(packet))])
        this.#ackSent = this.#received
        return
      case PacketType.Pong:
        this.#out.roundTrip(now - readToken(packet), now)
        return
      case PacketType.Abort:
        this.end(1_000, 'aborted by the peer')
        this.#owner.onFailed(readAbort(packet))
        return
      default: {
        kind satisfies never
      }
    }
  }

  #onData(packet: Buffer, now: number): void {
    if (readPosition(packet) !== this.#received) {
      throw new ProtocolError(
        'bad-position',
        `the peer sent byte ${readPosition(packet)} where ${this.#received} is next`,
      )
    }
    const bytes = packet.length - dataPacketHeaderBytes
    this.#received += bytes
    this.#user.receive(packet, dataPacketHeaderBytes)
    this.#arrivals.add(bytes, now)
    if (!this.#carrier) return
    if (readAckNow(packet)) {
      this.#ackSoon = true
      this.wake()
    } else if (this.#ackTimer === undefined && this.#ackSent !== this.#received) {
      this.#ackTimer = setTimeout(this.#ackLate, this.#limits.ackDelayMs)
    }
  }

  readonly #ackLate = () => {
    this.#ackTimer = undefined
    if (this.#ackSent === this.#received) return
    this.#ackSoon = true
    this.wake()
  }

  #onAck(position: number, now: number): void {
    this.#out.acked(position, now)
    this.#waiters.acked(position)
    if (this.#user.waiting) this.wake()
  }

  readonly #flush = () => {
    this.#flushing = false
    this.#company = this.#wakes > 1
    this.#wakes = 0
    const carrier = this.#carrier
    if (!carrier) return
    const now = performance.now()
    while (carrier === this.#carrier && this.#send(carrier, now));
    if (this.#ackSent === this.#received) this.#ackSoon = false
    else if (this.#ackSoon && !this.#clogged(carrier)) {
      carrier.send([encodeAck(this.#received)])
      this.#ackSent = this.#received
      this.#ackSoon = false
    }
    this.#user.flushed()
  }

  /** The peer does not read what we send: it gets no answers either. */
  #clogged(carrier: Carrier): boolean {
    return carrier.bufferedBytes > this.#limits.carrierBufferBytes
  }

  /** Returns whether another packet may follow. */
  #send(carrier: Carrier, now: number): boolean {
    const sent = this.#out.send(carrier, this.#received, now) === 'sent'
    if (sent) this.#ackSent = this.#received
    return sent
  }
}

/** What is closer to the last `sendNow` than this probably belongs to the same turn of the event loop. */
const sameTurnMs = 0.04
const ignore = () => undefined
