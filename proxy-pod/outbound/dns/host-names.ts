import { lookup } from 'node:dns/promises'
import { isAnswer } from '../../../src/dns/header.ts'
import { encodeAnswer, Rcode, readAnswer, readQuery } from '../../../src/dns/message.ts'
import { codeOf } from '../../../src/errors.ts'
import type { DnsUpstream } from './name-servers.ts'

/** Of what a machine knows without a name server, in seconds: it may change at any time. */
const ttl = 5

/** Addresses of a name as the machine's own resolver finds them. Rejects as `dns.lookup` does. */
export type HostLookup = (name: string, family: 4 | 6) => Promise<readonly string[]>

const systemLookup: HostLookup = async (name, family) =>
  (await lookup(name, { family, all: true })).map(({ address }) => address)

/**
 * Names as a process of this machine sees them: its name servers, and for addresses that they do not know what else its
 * resolver asks (the hosts file, mDNS, a VPN's split names).
 */
export class HostNames implements DnsUpstream {
  readonly #servers: DnsUpstream
  readonly #lookup: HostLookup

  constructor(servers: DnsUpstream, hostLookup: HostLookup = systemLookup) {
    this.#servers = servers
    this.#lookup = hostLookup
  }

  async ask(message: Buffer, signal: AbortSignal): Promise<Buffer> {
    const answered = await this.#servers.ask(message, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      return error
    })
    if (Buffer.isBuffer(answered) && readAnswer(answered)?.rcode === Rcode.NoError) return answered
    const read = readQuery(message)
    const type = read.kind === 'query' ? read.query.type : undefined
    if (read.kind !== 'query' || (type !== 'A' && type !== 'AAAA')) return answerOrThrow(answered)
    const { query } = read
    try {
      const addresses = await this.#lookup(`${query.name}`, type === 'A' ? 4 : 6)
      const records = addresses.map((data) => ({ type, name: query.name, ttl, data }) as const)
      return encodeAnswer(query, { rcode: Rcode.NoError, records, authoritative: false })
    } catch (error) {
      if (Buffer.isBuffer(answered) || codeOf(error) !== 'ENOTFOUND') return answerOrThrow(answered)
      return encodeAnswer(query, { rcode: Rcode.NameError, records: [], authoritative: false })
    }
  }
}

function answerOrThrow(answered: unknown): Buffer {
  if (Buffer.isBuffer(answered) && isAnswer(answered)) return answered
  throw answered
}
