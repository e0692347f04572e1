import * as packet from 'dns-packet'
import { expect, it } from 'vitest'
import { HostNames } from '../../../../proxy-pod/outbound/dns/host-names.ts'
import { encodeQuery, type RecordType } from '../../../../src/dns/message.ts'
import { reply } from '../../support/name-server.ts'

const wanted = new AbortController().signal
const nameError = 3

const names = new HostNames(
  {
    ask: async (message) => {
      const query = packet.decode(message)
      const [question] = query.questions ?? []
      if (question?.name.startsWith('down')) throw new Error('no server')
      const data = '203.0.113.5'
      return question?.name === 'example.com'
        ? reply(query, [{ type: 'A', name: 'example.com', ttl: 60, data }])
        : reply(query, [], nameError)
    },
  },
  async (name, family) => {
    if (name.endsWith('.hosts')) return family === 4 ? ['192.0.2.1'] : []
    throw Object.assign(new Error(name), { code: name.endsWith('.later') ? 'EAI_AGAIN' : 'ENOTFOUND' })
  },
)

const ask = async (name: string, type: RecordType = 'A') => {
  const { answers, ...rest } = packet.decode(await names.ask(encodeQuery({ id: 3, name, type }), wanted))
  const { rcode } = rest as unknown as { rcode: string }
  return [rest.id, rcode, ...(answers ?? []).map((one) => ('data' in one ? one.data : ''))]
}

it('are those of the name servers, then those that only the machine knows', async () => {
  expect(await ask('example.com')).toEqual([3, 'NOERROR', '203.0.113.5'])
  expect(await ask('db.hosts')).toEqual([3, 'NOERROR', '192.0.2.1'])
  expect(await ask('down.hosts')).toEqual([3, 'NOERROR', '192.0.2.1'])
  expect(await ask('nothing.example')).toEqual([3, 'NXDOMAIN'])
  expect(await ask('db.hosts', 'TXT')).toEqual([3, 'NXDOMAIN'])
})

it('without a server they are unknown, or not to be known now', async () => {
  expect(await ask('down.example')).toEqual([3, 'NXDOMAIN'])
  await expect(ask('down.later')).rejects.toThrow('no server')
  await expect(ask('down.hosts', 'TXT')).rejects.toThrow('no server')
})
