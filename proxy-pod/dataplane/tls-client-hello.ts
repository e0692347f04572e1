import { isIP } from 'node:net'

/** What a client says of itself before TLS begins (RFC 8446, 4.1.2). */
export interface ClientHello {
  /** The host that it wants (RFC 6066, 3); undefined where it names none. */
  readonly servername: string | undefined
  /** The protocols that it offers to speak inside, best first (RFC 7301). Empty: it leaves that open. */
  readonly protocols: readonly string[]
}

const handshakeRecord = 0x16
const clientHello = 0x01
/** Bytes before the content: type, version, length; and type, length. */
const recordHeader = 5
const messageHeader = 4
/** Extensions, by their numbers at IANA. */
const serverNameExtension = 0
const protocolsExtension = 16
/** Bytes of a whole ClientHello with its records; common ones have 300 to 2,000. */
const maxBytes = 64 * 1024

/** Whether these bytes may be the beginning of TLS. */
export function mayBeTls(bytes: Buffer): boolean {
  return bytes[0] === handshakeRecord && (bytes.length < 2 || bytes[1] === 0x03)
}

/** @returns 'incomplete' where more bytes are needed, 'other' where this is no ClientHello that can be read. */
export function readClientHello(bytes: Buffer): ClientHello | 'incomplete' | 'other' {
  const message = handshakeMessage(bytes)
  if (typeof message === 'string') return message
  const body = new Reader(message)
  body.skip(2 + 32)
  body.vector(1)
  body.vector(2)
  body.vector(1)
  let servername: string | undefined
  let protocols: string[] = []
  const extensions = body.isAtEnd ? new Reader(Buffer.alloc(0)) : new Reader(body.vector(2))
  while (!extensions.isAtEnd && !extensions.isBroken) {
    const type = extensions.number(2)
    const content = new Reader(extensions.vector(2))
    if (type === serverNameExtension) servername = serverName(new Reader(content.vector(2)))
    else if (type === protocolsExtension) protocols = namesIn(new Reader(content.vector(2)))
    if (content.isBroken) return 'other'
  }
  return body.isBroken || extensions.isBroken ? 'other' : { servername, protocols }
}

/** The first handshake message, which may lie in several records, without its own header. */
function handshakeMessage(bytes: Buffer): Buffer | 'incomplete' | 'other' {
  const fragments: Buffer[] = []
  let length = 0
  let wanted: number | undefined
  let at = 0
  while (at < bytes.length && (wanted === undefined || length < wanted)) {
    const record = bytes.subarray(at)
    if (!mayBeTls(record)) return 'other'
    if (record.length < recordHeader) break
    const end = recordHeader + record.readUInt16BE(3)
    fragments.push(record.subarray(recordHeader, end))
    length += Math.min(end, record.length) - recordHeader
    if (length >= messageHeader) wanted ??= messageHeader + Buffer.concat(fragments).readUIntBE(1, 3)
    at += end
  }
  const message = Buffer.concat(fragments)
  if (message.length > 0 && message[0] !== clientHello) return 'other'
  if (wanted === undefined || length < wanted) return bytes.length > maxBytes ? 'other' : 'incomplete'
  return message.subarray(messageHeader, wanted)
}

/** RFC 6066 wants a host name, and no address. */
function serverName(names: Reader): string | undefined {
  while (!names.isAtEnd && !names.isBroken) {
    const type = names.number(1)
    const name = names.vector(2).toString('latin1')
    if (type === 0) return /^[\w.-]{1,253}$/.test(name) && isIP(name) === 0 ? name : undefined
  }
  return undefined
}

function namesIn(list: Reader): string[] {
  const names: string[] = []
  while (!list.isAtEnd && !list.isBroken) names.push(list.vector(1).toString('latin1'))
  return names
}

/** Reads the vectors of TLS's presentation language. Reading past the end gives nothing, and makes it broken. */
class Reader {
  readonly #bytes: Buffer
  #at = 0
  isBroken = false

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  skip(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) this.isBroken = true
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  number(width: 1 | 2): number {
    const bytes = this.skip(width)
    return this.isBroken ? 0 : bytes.readUIntBE(0, width)
  }

  /** Bytes whose length comes before them, in so many bytes. */
  vector(width: 1 | 2): Buffer {
    return this.skip(this.number(width))
  }
}
