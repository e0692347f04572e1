import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import * as packet from 'dns-packet'
import { onTestFinished } from 'vitest'
import { framed, MessageReader } from '../../../src/dns/framing.ts'

type Reply = Buffer | readonly Buffer[] | undefined

/** A name server on loopback, by UDP and TCP on one port. What `answer` returns is sent; undefined: nothing. */
export async function nameServer(
  answer: (query: packet.DecodedPacket, via: 'udp' | 'tcp', message: Buffer) => Reply,
): Promise<{ host: string; port: number }> {
  const host = '127.0.0.1'
  const tcp = createServer((socket) => {
    const reader = new MessageReader()
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      for (const message of reader.read(chunk)) {
        for (const reply of repliesOf(answer(packet.decode(message), 'tcp', message))) socket.write(framed(reply))
      }
    })
  })
  tcp.listen({ host, port: 0 })
  await once(tcp, 'listening')
  const address = tcp.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const udp = createSocket('udp4')
  udp.on('message', (message, from) => {
    for (const reply of repliesOf(answer(packet.decode(message), 'udp', message))) {
      udp.send(reply, from.port, from.address)
    }
  })
  udp.bind(port, host)
  await once(udp, 'listening')
  onTestFinished(() => {
    tcp.close()
    udp.close()
  })
  return { host, port }
}

const repliesOf = (reply: Reply): readonly Buffer[] => (reply === undefined ? [] : [reply].flat())

/** An answer with these records, or none. */
export function reply(query: packet.DecodedPacket, answers: packet.Answer[] = [], flags = 0): Buffer {
  return packet.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: flags | packet.RECURSION_AVAILABLE,
    questions: query.questions ?? [],
    answers,
  })
}
