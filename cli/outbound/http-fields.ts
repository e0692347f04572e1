import type { IncomingMessage } from 'node:http'

/** Fields between a client and its proxy, or of one connection (RFC 9110, 7.6.1), and Host, which is set anew. */
const ofOneConnection: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'upgrade',
])

/** The fields that go on, as they came: name, value, name, value … Transfer-Encoding stays: a body keeps its chunks. */
export function endToEnd(raw: readonly string[]): string[] {
  const pairs = pairsOf(raw)
  const named = new Set(
    pairs
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(',').map((member) => member.trim().toLowerCase()))
      // Without them the body would have no end.
      .filter((name) => name !== 'content-length' && name !== 'transfer-encoding'),
  )
  return pairs.filter(([name]) => !ofOneConnection.has(name.toLowerCase()) && !named.has(name.toLowerCase())).flat()
}

export function pairsOf(raw: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? ''])
}

/** A response's head as bytes. @param raw its fields */
export function headOf({ statusCode, statusMessage }: IncomingMessage, raw: readonly string[]): Buffer {
  const lines = pairsOf(raw).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`, 'latin1')
}
