import { isIPv6 } from 'node:net'

/** What a request may be told of the way that it came. All off unless asked for: a request is passed on as it was sent. */
export interface ForwardingOptions {
  /** Pseudonym for `Via` (RFC 9110, 7.6.3). */
  readonly via?: string
  /** `X-Forwarded-For`, `-Host`, `-Proto`. */
  readonly xForwarded?: boolean
  /** `Forwarded` (RFC 7239). */
  readonly forwarded?: boolean
}

/** Ways to tell of the way, as an installation names them. */
export const forwardedHeaders = ['x-forwarded', 'forwarded', 'via'] as const
export type ForwardedHeader = (typeof forwardedHeaders)[number]

/** @returns undefined where nothing is asked for */
export function forwardingOf(wanted: readonly ForwardedHeader[]): ForwardingOptions | undefined {
  if (wanted.length === 0) return undefined
  return {
    xForwarded: wanted.includes('x-forwarded'),
    forwarded: wanted.includes('forwarded'),
    ...(wanted.includes('via') ? { via: 'intercept' } : {}),
  }
}

export interface Received {
  /** Address of the client, IPv4 (also mapped to IPv6) or IPv6. */
  readonly client: string
  /** Empty: the request named none. */
  readonly authority: string
  readonly proto: 'http' | 'https'
  /** As `Via` has it. */
  readonly version: '1.1' | '2.0'
}

/** Name, value, name, value … of the fields to be added. */
export function forwardingPairs(options: ForwardingOptions, received: Received): string[] {
  const { authority, proto, version } = received
  const client = plainAddress(received.client)
  const pairs: string[] = []
  if (options.via !== undefined) pairs.push('Via', `${version} ${options.via}`)
  if (options.xForwarded) {
    pairs.push('X-Forwarded-For', client)
    if (authority !== '') pairs.push('X-Forwarded-Host', authority)
    pairs.push('X-Forwarded-Proto', proto)
  }
  if (options.forwarded) {
    const node = isIPv6(client) ? `"[${client}]"` : client
    const host = authority === '' ? '' : `;host="${authority.replace(/[\\"]/g, '\\$&')}"`
    pairs.push('Forwarded', `for=${node}${host};proto=${proto}`)
  }
  return pairs
}

/** Field lines to be added. A field that is there already is a list that grows: another line of it, after its own. */
export function forwardingFields(options: ForwardingOptions, received: Received): string {
  const pairs = forwardingPairs(options, received)
  let lines = ''
  for (let at = 0; at < pairs.length; at += 2) lines += `${pairs[at]}: ${pairs[at + 1]}\r\n`
  return lines
}

/** A head with field lines after its own. */
export function withFields(head: Buffer, lines: string): Buffer {
  if (lines === '') return head
  return Buffer.concat([head.subarray(0, -2), Buffer.from(lines, 'latin1'), Buffer.from('\r\n')])
}

/** A head without the fields of these names. @param head read by `parseRequest` before. @param names in lower case */
export function withoutFields(head: Buffer, names: ReadonlySet<string>): Buffer {
  const [first = '', ...lines] = head.toString('latin1').split('\r\n')
  const kept = lines.filter((line) => !names.has(line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase()))
  return Buffer.from([first, ...kept].join('\r\n'), 'latin1')
}

const plainAddress = (address: string): string => (/^::ffff:\d/.test(address) ? address.slice(7) : address)
