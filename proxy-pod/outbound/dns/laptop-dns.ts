import {
  bareAnswer,
  type DnsRecord,
  encodeAnswer,
  encodeQuery,
  Rcode,
  readAnswer,
  readQuery,
} from '../../../src/dns/message.ts'
import type { Reach } from '../reach.ts'
import type { SearchList } from '../search-list.ts'
import type { ClusterZone, Follow } from './cluster-zone.ts'
import { mayAsk } from './may-ask.ts'
import type { DnsUpstream } from './name-servers.ts'

/** An alias may lead to an alias; so many, then it is a circle. */
const mostAliases = 8

export interface LaptopDnsParts {
  /** The cluster's DNS, or where it has none, whoever knows other names. */
  readonly upstream: DnsUpstream
  /** Answers names of the cluster's domain; undefined: the upstream does. */
  readonly zone: ClusterZone | undefined
  /** Of the pod that we are in. */
  readonly searchList: SearchList
}

/** Answers the DNS messages of laptops as a pod's name server would, within their reach. */
export class LaptopDns {
  readonly #parts: LaptopDnsParts

  constructor(parts: LaptopDnsParts) {
    this.#parts = parts
  }

  /** Undefined: the message gets no answer. Rejects only where `signal` aborts. */
  async answer(message: Buffer, reaches: readonly Reach[], signal: AbortSignal): Promise<Buffer | undefined> {
    const { upstream, zone, searchList } = this.#parts
    const read = readQuery(message)
    if (read.kind === 'nothing') return undefined
    if (read.kind === 'wrong') return bareAnswer(message, read.rcode)
    const { query } = read
    const may = mayAsk(query.name.toLowerCase(), reaches, searchList)
    if (may !== 'yes') {
      const rcode = may === 'no' ? Rcode.Refused : Rcode.NameError
      return encodeAnswer(query, { rcode, records: [], authoritative: false })
    }
    try {
      const own = await zone?.answer(query.name, query.type, this.#follow(reaches, signal, 1))
      return own ? encodeAnswer(query, own) : await upstream.ask(message, signal)
    } catch {
      signal.throwIfAborted()
      // Whatever it was (no server, the API): to a resolver all are one.
      return encodeAnswer(query, { rcode: Rcode.ServerFailure, records: [], authoritative: false })
    }
  }

  /** What cannot be found has no records: the alias itself is an answer. */
  #follow(reaches: readonly Reach[], signal: AbortSignal, aliases: number): Follow {
    const { upstream, zone, searchList } = this.#parts
    return async (name, type): Promise<readonly DnsRecord[]> => {
      const plain = name.replace(/\.$/, '')
      if (aliases >= mostAliases || mayAsk(plain.toLowerCase(), reaches, searchList) !== 'yes') return []
      const own = await zone?.answer(plain, type, this.#follow(reaches, signal, aliases + 1))
      if (own) return own.records
      const answer = await upstream.ask(encodeQuery({ id: 0, name: plain, type }), signal)
      return readAnswer(answer)?.records ?? []
    }
  }
}
