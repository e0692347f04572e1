import { expect, test } from 'vitest'
import { addressesOf } from '../../../proxy-pod/outbound/dns/addresses-of.ts'
import { type DnsRecord, encodeAnswer, Rcode, readQuery } from '../../../src/dns/message.ts'

/** A name server that knows one name of both families. */
const dns = (rcode: Rcode = Rcode.NoError) => ({
  answer: async (message: Buffer): Promise<Buffer | undefined> => {
    const read = readQuery(message)
    if (read.kind !== 'query') throw new Error('no query')
    const { name, type } = read.query
    const records: DnsRecord[] =
      name !== 'db.example' || rcode !== Rcode.NoError
        ? []
        : [
            { type: 'CNAME', name, ttl: 5, data: 'real.example' },
            type === 'A'
              ? { type: 'A', name: 'real.example', ttl: 5, data: '10.0.0.5' }
              : { type: 'AAAA', name: 'real.example', ttl: 5, data: 'fd00::5' },
          ]
    const answered = name === 'db.example' ? rcode : Rcode.NameError
    return encodeAnswer(read.query, { rcode: answered, records, authorities: [], authoritative: false })
  },
})

test('both families, also behind an alias', async () => {
  expect(await addressesOf(dns(), 'db.example')).toEqual(['10.0.0.5', 'fd00::5'])
})

test('a name that does not exist has none; a name server that fails is an error', async () => {
  expect(await addressesOf(dns(), 'no-such.example')).toEqual([])
  const failing = addressesOf(dns(Rcode.ServerFailure), 'db.example')
  await expect(failing).rejects.toMatchObject({ code: 'name-server-failed' })
  const silent = addressesOf({ answer: async () => undefined }, 'db.example')
  await expect(silent).rejects.toMatchObject({ code: 'name-server-failed' })
})
