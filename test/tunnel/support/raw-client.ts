import { randomBytes } from 'node:crypto'
import {
  decodeAnswer,
  decodeChallenge,
  encodeHello,
  type Hello,
  protocolVersion,
} from '../../../src/tunnel/handshake.ts'
import { generateKeys, MemoryCarrier, type TunnelKeys, type TunnelServer } from '../../../src/tunnel/index.ts'
import { dataPacketHeaderBytes, PacketType, readAbort, writeDataHeader } from '../../../src/tunnel/packet.ts'

/** A client that speaks the protocol by hand, and may break it. */
export class RawClient {
  readonly carrier: MemoryCarrier
  /** The server's end. */
  readonly far: MemoryCarrier
  readonly keys: TunnelKeys
  readonly tunnel: string
  readonly messages: Buffer[] = []
  closed: string | undefined
  position = 0
  #waiting: (() => void)[] = []

  constructor(server: TunnelServer, keys: TunnelKeys = generateKeys(), tunnel = randomBytes(16).toString('base64url')) {
    const [near, far] = MemoryCarrier.pair()
    this.carrier = near
    this.far = far
    this.keys = keys
    this.tunnel = tunnel
    near.onMessage = (message) => {
      this.messages.push(Buffer.from(message))
      this.#wake()
    }
    near.onClose = (reason) => {
      this.closed = reason
      this.#wake()
    }
    server.accept(far)
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  hello(changes: Partial<Hello> = {}): Hello {
    return {
      version: protocolVersion,
      clientVersion: 'raw',
      tunnel: this.tunnel,
      lane: 0,
      publicKey: this.keys.publicKey,
      resume: undefined,
      limits: { maxStreams: 100, streamWindowBytes: 65_536, headerBytes: 4_096 },
      claims: {},
      ...changes,
    }
  }

  async nonce(): Promise<Buffer> {
    await this.until(() => this.messages.length > 0)
    return Buffer.from(decodeChallenge(this.messages[0] as Buffer).nonce, 'base64')
  }

  /** The server's answer; throws the refusal. */
  async login(changes: Partial<Hello> = {}) {
    this.carrier.send([encodeHello(this.hello(changes), await this.nonce(), this.keys)])
    return this.answer()
  }

  async answer() {
    await this.until(() => this.messages.length > 1 || this.closed !== undefined)
    return decodeAnswer(this.messages[1] as Buffer)
  }

  /** One data packet with these bytes of the session. */
  send(bytes: Buffer): void {
    const header = Buffer.alloc(dataPacketHeaderBytes)
    writeDataHeader(header, this.position, 0, 0)
    this.position += bytes.length
    this.carrier.send([header, bytes])
  }

  /** Code with which the server gave the session up. */
  get abortCode(): string | undefined {
    const abort = this.messages.find((message, index) => index > 1 && message[0] === PacketType.Abort)
    return abort && readAbort(abort).code
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
