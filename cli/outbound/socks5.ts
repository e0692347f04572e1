import { SocketAddress } from 'node:net'

/** What a reply says (RFC 1928, 6). Wire values. */
export const Socks5Reply = {
  Succeeded: 0x00,
  GeneralFailure: 0x01,
  NotAllowed: 0x02,
  NetworkUnreachable: 0x03,
  /** Also for a name that does not exist: there is no other. */
  HostUnreachable: 0x04,
  ConnectionRefused: 0x05,
  /** "TTL expired" in the text; what clients show as timed out. */
  TimedOut: 0x06,
  CommandNotSupported: 0x07,
  AddressTypeNotSupported: 0x08,
} as const
export type Socks5Reply = (typeof Socks5Reply)[keyof typeof Socks5Reply]

/** The first byte of every SOCKS5 client. */
export const socks5Version = 0x05

const noAuthentication = 0x00
const noAcceptableMethod = 0xff
const connectCommand = 0x01
const AddressType = { IPv4: 0x01, Name: 0x03, IPv6: 0x04 } as const

/** What the client's bytes led to. `reply` is to be sent to it. */
export type Socks5Event =
  | { readonly kind: 'greeted'; readonly reply: Buffer }
  /** `rest`: what came behind the request, for the connection itself. */
  | { readonly kind: 'connect'; readonly host: string; readonly port: number; readonly rest: Buffer }
  /** The connection ends after the reply; none where the client speaks something else. */
  | { readonly kind: 'refused'; readonly reply: Buffer; readonly why: string }

/** A reply to a request. The address is 0.0.0.0:0: where the connection leaves from says nothing to a client. */
export function socks5Reply(code: Socks5Reply): Buffer {
  return Buffer.from([socks5Version, code, 0, AddressType.IPv4, 0, 0, 0, 0, 0, 0])
}

/**
 * Reads what a SOCKS5 client says before its connection is there: a greeting, then one request. Without authentication.
 * Holds at most one message (262 bytes) and what came behind it.
 */
export class Socks5Reader {
  #held: Buffer = Buffer.alloc(0)
  #awaits: 'greeting' | 'request' | 'nothing' = 'greeting'

  /** @returns what happened, in order; after 'connect' or 'refused' nothing more is read */
  read(chunk: Buffer): Socks5Event[] {
    if (this.#awaits === 'nothing') return []
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const events: Socks5Event[] = []
    while (this.#awaits !== 'nothing') {
      const event: Socks5Event | undefined = this.#awaits === 'greeting' ? this.#greeting() : this.#request()
      if (!event) break
      events.push(event)
      this.#awaits = event.kind === 'greeted' ? 'request' : 'nothing'
    }
    return events
  }

  /** VER, NMETHODS, METHODS. */
  #greeting(): Socks5Event | undefined {
    const [version, count] = this.#held
    if (version !== undefined && version !== socks5Version) return notSocks5(version)
    if (count === undefined || this.#held.length < 2 + count) return undefined
    const methods = this.#held.subarray(2, 2 + count)
    this.#held = this.#held.subarray(2 + count)
    if (methods.includes(noAuthentication)) {
      return { kind: 'greeted', reply: Buffer.from([socks5Version, noAuthentication]) }
    }
    const reply = Buffer.from([socks5Version, noAcceptableMethod])
    return { kind: 'refused', reply, why: 'the client insists on authentication' }
  }

  /** VER, CMD, RSV, ATYP, DST.ADDR, DST.PORT. */
  #request(): Socks5Event | undefined {
    const held = this.#held
    const [version, command, , type, first] = held
    if (version !== undefined && version !== socks5Version) return notSocks5(version)
    if (type === undefined) return undefined
    if (type !== AddressType.IPv4 && type !== AddressType.IPv6 && type !== AddressType.Name) {
      return refusal(Socks5Reply.AddressTypeNotSupported, `address type ${type}`)
    }
    if (type === AddressType.Name && first === undefined) return undefined
    const start = type === AddressType.Name ? 5 : 4
    const length = type === AddressType.IPv4 ? 4 : type === AddressType.IPv6 ? 16 : (first ?? 0)
    const end = start + length
    if (held.length < end + 2) return undefined
    if (command !== connectCommand) {
      return refusal(Socks5Reply.CommandNotSupported, `command ${command}: only CONNECT is supported`)
    }
    const host = hostOf(type, held.subarray(start, end))
    const port = held.readUInt16BE(end)
    if (host === '' || port === 0) return refusal(Socks5Reply.GeneralFailure, 'a request for no host or port 0')
    return { kind: 'connect', host, port, rest: held.subarray(end + 2) }
  }
}

function hostOf(type: number, bytes: Buffer): string {
  if (type === AddressType.Name) return bytes.toString('latin1')
  if (type === AddressType.IPv4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16))
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address
}

const refusal = (code: Socks5Reply, why: string): Socks5Event => ({ kind: 'refused', reply: socks5Reply(code), why })

const notSocks5 = (version: number): Socks5Event => ({
  kind: 'refused',
  reply: Buffer.alloc(0),
  why: `version ${version} instead of SOCKS5`,
})
