import { BlockList, isIP } from 'node:net'
import { InterceptError } from '../errors.ts'
import { addressesMeant } from '../ip-address.ts'

/** A part of what laptops may reach, or may not: an address, a range of them, a name, or everything; and its ports. */
export interface OutboundRule {
  readonly text: string
  readonly where:
    | { readonly kind: 'anywhere' }
    | { readonly kind: 'range'; readonly address: string; readonly prefix: number }
    /** The addresses that the name has when it is asked. */
    | { readonly kind: 'name'; readonly name: string }
  /** Both included. */
  readonly ports: { readonly from: number; readonly to: number }
}

/** Where the address of IPv4 begins in one of IPv6. */
const mappedPrefix = 96
const everyPort = { from: 1, to: 65_535 }
const name = /^[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*\.?$/i

/**
 * `WHERE` or `WHERE:PORTS`: WHERE is `*`, an address, a range (`10.0.0.0/8`; IPv6 in brackets where ports follow:
 * `[fd00::/8]:5432`) or a name; PORTS is `5432` or `8000-8999`. @throws InterceptError 'bad-outbound-rule'
 */
export function parseOutboundRule(text: string): OutboundRule {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text)
  const plain = isIP(text.split('/')[0] ?? '') === 6 ? [text, text] : /^([^:]*)(?::(.*))?$/.exec(text)
  const [, where = '', portsText] = bracketed ?? plain ?? []
  const found = whereOf(where)
  const ports = portsText === undefined ? everyPort : portsOf(portsText)
  if (found && ports) return { text, where: found, ports }
  throw new InterceptError('bad-outbound-rule', `"${text}" names nothing that could be reached`, {
    fix: '10.0.0.0/8, 10.1.2.3:5432, [fd00::/8]:443, db.example.internal:5432-5434, *:25',
  })
}

/** Whether an address and port are within it. @param addresses those of its name now; none where it has no name */
export function coversAddress(
  { where, ports }: OutboundRule,
  { host, port }: { readonly host: string; readonly port: number },
  addresses: readonly string[],
): boolean {
  if (port < ports.from || port > ports.to) return false
  switch (where.kind) {
    case 'anywhere':
      return true
    case 'range':
      return inRange(where, host)
    case 'name':
      return addresses.some((address) => inRange({ address, prefix: isIP(address) === 6 ? 128 : 32 }, host))
    default:
      return where satisfies never
  }
}

/** An address of IPv4 is in ranges of IPv4, however either is written: `::/0` is what has IPv6. */
function inRange({ address, prefix }: { readonly address: string; readonly prefix: number }, host: string): boolean {
  const list = new BlockList()
  list.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  const isOfMapped = isIP(address) === 6 && prefix >= mappedPrefix
  return addressesMeant(host).some((one) => {
    const family = isIP(one)
    if (family === 4 && isIP(address) === 6 && !isOfMapped) return false
    return list.check(one, family === 6 ? 'ipv6' : 'ipv4')
  })
}

function whereOf(text: string): OutboundRule['where'] | undefined {
  if (text === '*') return { kind: 'anywhere' }
  const [address = '', length, more] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  if (isIP(address) > 0) {
    const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1
    return more === undefined && prefix >= 0 && prefix <= bits ? { kind: 'range', address, prefix } : undefined
  }
  // What is all digits and dots was meant to be an address.
  return name.test(text) && !/^[\d.]+$/.test(text) ? { kind: 'name', name: text.toLowerCase() } : undefined
}

function portsOf(text: string): OutboundRule['ports'] | undefined {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const [from, to] = [Number(first), Number(last)]
  return from >= 1 && from <= to && to <= 65_535 ? { from, to } : undefined
}
