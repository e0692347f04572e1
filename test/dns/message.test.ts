import * as packet from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forUdp } from '../../src/dns/for-udp.ts'
import { isAnswer, isTruncated } from '../../src/dns/header.ts'
import { bareAnswer, encodeAnswer, encodeQuery, Rcode, readAnswer, readQuery } from '../../src/dns/message.ts'

const query = encodeQuery({ id: 7, name: 'Orders.shop.svc.cluster.local', type: 'A' })

describe('a query', () => {
  it('is read', () => {
    expect(readQuery(query)).toEqual({
      kind: 'query',
      query: {
        id: 7,
        name: 'Orders.shop.svc.cluster.local',
        type: 'A',
        recursionDesired: true,
        udpPayloadBytes: undefined,
      },
    })
  })

  it('says with EDNS how much it takes', () => {
    const opt = { type: 'OPT', name: '.', udpPayloadSize: 1_232, extendedRcode: 0, ednsVersion: 0, flags: 0 } as const
    const message = packet.encode({
      id: 1,
      questions: [{ name: 'a.b', type: 'AAAA' }],
      additionals: [{ ...opt, flag_do: false, options: [] }],
    })
    expect(readQuery(message)).toMatchObject({ kind: 'query', query: { type: 'AAAA', udpPayloadBytes: 1_232 } })
  })

  it.each([
    ['with two questions', (): Buffer => packet.encode({ questions: [1, 2].map(() => ({ name: 'a', type: 'A' })) }), 1],
    ['with none', (): Buffer => packet.encode({ questions: [] }), 1],
    ['that breaks off', (): Buffer => query.subarray(0, 20), 1],
    [
      'with a dot in a label',
      (): Buffer => Buffer.concat([query.subarray(0, 12), Buffer.from('\x03a.b\0\0\x01\0\x01')]),
      1,
    ],
    ['of another kind', (): Buffer => packet.encode({ flags: 4 << 11, questions: [{ name: 'a', type: 'A' }] }), 4],
    ['of another class', (): Buffer => packet.encode({ questions: [{ name: 'a', type: 'TXT', class: 'CH' }] }), 4],
  ])('%s is answered with a code', (_which, message, rcode) => {
    expect(readQuery(message())).toEqual({ kind: 'wrong', rcode })
  })

  it('is no answer, and no stump', () => {
    expect(readQuery(encodeAnswer(question(), { rcode: 0, records: [], authoritative: true }))).toEqual({
      kind: 'nothing',
    })
    expect(readQuery(Buffer.alloc(11))).toEqual({ kind: 'nothing' })
  })

  it('of any bytes does no harm, and has an answer that can be read', () => {
    const byBytes = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes))
    const byChange = fc
      .array(fc.tuple(fc.nat(query.length - 1), fc.nat(255)), { maxLength: 6 })
      .map((changes) => changes.reduce((copy, [at, byte]) => copy.fill(byte, at, at + 1), Buffer.from(query)))
    fc.assert(
      fc.property(fc.oneof(byBytes, byChange), (message) => {
        const read = readQuery(message)
        if (read.kind === 'nothing') return
        const answer =
          read.kind === 'query'
            ? encodeAnswer(read.query, { rcode: Rcode.NoError, records: [], authoritative: true })
            : bareAnswer(message, read.rcode)
        expect(isAnswer(answer)).toBe(true)
        expect(answer.readUInt16BE(0)).toBe(message.readUInt16BE(0))
        expect(readAnswer(answer)).toBeDefined()
        expect(forUdp(answer, message).length).toBeLessThanOrEqual(4_096)
      }),
      { numRuns: 2_000 },
    )
  })
})

it('an answer that is too long for UDP says so, and keeps the question', () => {
  const records = Array.from({ length: 60 }, (_, index) => ({
    type: 'A' as const,
    name: 'Orders.shop.svc.cluster.local',
    ttl: 5,
    data: `10.0.0.${index}`,
  }))
  const answer = encodeAnswer(question(), { rcode: Rcode.NoError, records, authoritative: true })
  expect(forUdp(answer.subarray(0, 500), query)).toHaveLength(500)
  const cut = forUdp(answer, query)
  expect(isTruncated(cut)).toBe(true)
  expect(packet.decode(cut)).toMatchObject({
    id: 7,
    questions: [{ name: 'Orders.shop.svc.cluster.local', type: 'A' }],
    answers: [],
  })
})

function question() {
  const read = readQuery(query)
  if (read.kind !== 'query') throw new Error('it was one')
  return read.query
}
