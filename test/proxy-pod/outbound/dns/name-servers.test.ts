import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import * as packet from 'dns-packet'
import { expect, it } from 'vitest'
import { NameServers } from '../../../../proxy-pod/outbound/dns/name-servers.ts'
import { encodeQuery } from '../../../../src/dns/message.ts'
import { nameServer, reply } from '../../support/name-server.ts'

const wanted = new AbortController().signal
const query = encodeQuery({ id: 7, name: 'orders.shop.svc.cluster.local', type: 'A' })
const record = (data: string): packet.Answer => ({ type: 'A', name: 'orders.shop.svc.cluster.local', ttl: 5, data })
const failed = expect.objectContaining({ code: 'name-server-failed' })

it('passes the message on as it is, with another ID, and the answer back with its own', async () => {
  let seen: Buffer | undefined
  const server = await nameServer((asked, _via, message) => {
    seen = message
    return reply(asked, [record('10.96.0.1')])
  })
  const answer = packet.decode(await new NameServers([server]).ask(query, wanted))
  expect(answer).toMatchObject({ id: 7, answers: [{ data: '10.96.0.1' }] })
  expect(seen?.subarray(2)).toEqual(query.subarray(2))
})

it('asks again over TCP where the answer does not fit', async () => {
  const server = await nameServer((asked, via) =>
    via === 'udp' ? reply(asked, [], packet.TRUNCATED_RESPONSE) : reply(asked, [record('10.96.0.1')]),
  )
  const answer = packet.decode(await new NameServers([server]).ask(query, wanted))
  expect(answer).toMatchObject({ id: 7, flag_tc: false, answers: [{ data: '10.96.0.1' }] })
})

it('takes no answer to another query', async () => {
  const server = await nameServer((asked) => [
    reply({ ...asked, id: ((asked.id ?? 0) + 1) & 0xffff }, [record('203.0.113.66')]),
    Buffer.from('nonsense'),
    reply(asked, [record('10.96.0.1')]),
  ])
  const answer = packet.decode(await new NameServers([server]).ask(query, wanted))
  expect(answer.answers).toMatchObject([{ data: '10.96.0.1' }])
})

it('asks the next server where one is silent or not there', async () => {
  const silent = await nameServer(() => undefined)
  const good = await nameServer((asked) => reply(asked, [record('10.96.0.1')]))
  for (const bad of [silent, await nobody()]) {
    const answer = packet.decode(await new NameServers([bad, good], [100, 5_000]).ask(query, wanted))
    expect(answer.answers).toHaveLength(1)
  }
})

it('gives up: at once where nobody listens, in its time where nobody answers', async () => {
  const begun = performance.now()
  await expect(new NameServers([await nobody()]).ask(query, wanted)).rejects.toEqual(failed)
  expect(performance.now() - begun).toBeLessThan(1_000)
  const silent = await nameServer(() => undefined)
  await expect(new NameServers([silent], [50, 50]).ask(query, wanted)).rejects.toEqual(failed)
  await expect(new NameServers([]).ask(query, wanted)).rejects.toEqual(failed)
})

it('stops where nobody wants to know any more', async () => {
  const silent = await nameServer(() => undefined)
  const over = new AbortController()
  const asked = new NameServers([silent]).ask(query, over.signal)
  over.abort(new Error('not wanted'))
  await expect(asked).rejects.toThrow('not wanted')
})

/** An address where nobody listens. */
async function nobody(): Promise<{ host: string; port: number }> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return { host: '127.0.0.1', port }
}
