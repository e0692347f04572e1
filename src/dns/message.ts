import * as packet from 'dns-packet'
import { headerBytes, idOf, isQuery } from './header.ts'

/** What an answer says of itself (RFC 1035, 4.1.1). Wire values. */
export const Rcode = {
  NoError: 0,
  FormatError: 1,
  ServerFailure: 2,
  NameError: 3,
  NotImplemented: 4,
  Refused: 5,
} as const
export type Rcode = (typeof Rcode)[keyof typeof Rcode]

export type RecordType = packet.RecordType
export type DnsRecord = Exclude<packet.Answer, packet.OptAnswer>

export interface DnsQuery {
  readonly id: number
  /** As it was asked for, without a final dot; '' for the root. */
  readonly name: string
  /** Types that have no name of their own are 'UNKNOWN_' and their number. */
  readonly type: RecordType
  readonly recursionDesired: boolean
  /** The longest answer that its sender takes over UDP, in bytes (RFC 6891); undefined: it has no EDNS. */
  readonly udpPayloadBytes: number | undefined
}

export type ReadQuery =
  | { readonly kind: 'query'; readonly query: DnsQuery }
  /** To be answered with that. */
  | { readonly kind: 'wrong'; readonly rcode: Rcode }
  /** Not even a query: to be dropped, an answer could go round in circles. */
  | { readonly kind: 'nothing' }

const opcodeMask = 0x7800
const recursionDesired = 0x0100

/** Reads a query with one question, as every resolver sends them. Never throws. */
export function readQuery(message: Buffer): ReadQuery {
  if (!isQuery(message)) return { kind: 'nothing' }
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at))
  const flags = message.readUInt16BE(2)
  if ((flags & opcodeMask) !== 0) return { kind: 'wrong', rcode: Rcode.NotImplemented }
  // An OPT and a signature are all that a query may have beside its question.
  const isUsual = questions === 1 && answers === 0 && authorities === 0 && (additionals ?? 0) <= 2
  const decoded = isUsual ? decode(message) : undefined
  const [question] = decoded?.questions ?? []
  if (!decoded || !question) return { kind: 'wrong', rcode: Rcode.FormatError }
  // Whoever asks looks for the question in the answer: what we would write otherwise than it came has no answer.
  const again = packet.encode({ type: 'query', questions: [question] }).subarray(headerBytes)
  if (!again.equals(message.subarray(headerBytes, headerBytes + again.length))) {
    return { kind: 'wrong', rcode: Rcode.FormatError }
  }
  if ((question.class ?? 'IN') !== 'IN') return { kind: 'wrong', rcode: Rcode.NotImplemented }
  const opt = decoded.additionals?.find((one) => one.type === 'OPT')
  return {
    kind: 'query',
    query: {
      id: message.readUInt16BE(0),
      name: question.name.replace(/\.$/, ''),
      type: question.type,
      recursionDesired: (flags & recursionDesired) !== 0,
      udpPayloadBytes: opt?.udpPayloadSize,
    },
  }
}

function decode(message: Buffer): packet.DecodedPacket | undefined {
  try {
    return packet.decode(message)
  } catch {
    // The library has no other way to say that it is none.
    return undefined
  }
}

/** A query for one name, to be recursed for. */
export function encodeQuery({ id, name, type }: { id: number; name: string; type: RecordType }): Buffer {
  return packet.encode({ type: 'query', id, flags: packet.RECURSION_DESIRED, questions: [{ name, type, class: 'IN' }] })
}

export interface DnsAnswer {
  readonly rcode: Rcode
  readonly records: readonly DnsRecord[]
  /** For an answer without records: how long that may be believed stands in an SOA here (RFC 2308). */
  readonly authorities?: readonly DnsRecord[]
  /** We are who decides about the name. */
  readonly authoritative: boolean
}

/** The answer to a query. Not shortened, whatever its length. */
export function encodeAnswer(query: DnsQuery, { rcode, records, authorities, authoritative }: DnsAnswer): Buffer {
  const flags =
    rcode |
    packet.RECURSION_AVAILABLE |
    (query.recursionDesired ? packet.RECURSION_DESIRED : 0) |
    (authoritative ? packet.AUTHORITATIVE_ANSWER : 0)
  return packet.encode({
    type: 'response',
    id: query.id,
    flags,
    questions: [{ name: query.name === '' ? '.' : query.name, type: query.type, class: 'IN' }],
    answers: [...records],
    authorities: [...(authorities ?? [])],
    additionals: query.udpPayloadBytes === undefined ? [] : [opt],
  })
}

/** What we say to whoever speaks EDNS: streams have no shorter bound. */
const opt: packet.OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 4_096,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}

/** An answer of nothing but its code, to a message of which only the header is understood. It has at least that. */
export function bareAnswer(message: Buffer, rcode: Rcode): Buffer {
  const flags = rcode | packet.RECURSION_AVAILABLE | (message.readUInt16BE(2) & (opcodeMask | recursionDesired))
  return packet.encode({ type: 'response', id: idOf(message) ?? 0, flags })
}

/** What an answer of another server says; undefined where it cannot be read. */
export function readAnswer(message: Buffer): { rcode: number; records: readonly DnsRecord[] } | undefined {
  const decoded = isQuery(message) ? undefined : decode(message)
  if (!decoded) return undefined
  const records = (decoded.answers ?? []).filter((one): one is DnsRecord => one.type !== 'OPT')
  return { rcode: message.readUInt16BE(2) & 0x0f, records }
}
