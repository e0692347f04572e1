import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type Answer, decode, encode, streamDecode, streamEncode } from 'dns-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DnsListener } from '../../../../cli/outbound/portable/dns-listener.ts'

/** Resolve the answers, in the test's own order. */
let waiting: Map<string, (answers: Answer[]) => void>
let listener: DnsListener
let port: number

const query = (name: string, id: number): Buffer =>
  encode({ type: 'query', id, flags: 0x0100, questions: [{ type: 'TXT', name }] })
const record = (name: string, length: number): Answer => ({
  type: 'TXT',
  name,
  data: Array(length).fill('x'.repeat(99)),
})

beforeEach(async () => {
  waiting = new Map()
  listener = new DnsListener({
    query: (message) => {
      const { id = 0, questions = [] } = decode(message)
      const { name = '' } = questions[0] ?? {}
      if (name === 'failing') return Promise.reject(new Error('no tunnel'))
      return new Promise((resolve) => {
        waiting.set(name, (answers) => resolve(encode({ type: 'response', id, questions, answers })))
      })
    },
  })
  port = Number((await listener.listen()).split(':')[1])
})
afterEach(() => listener.close())

async function overUdp(message: Buffer, name: string, answers: Answer[]): Promise<Buffer> {
  const socket = createSocket('udp4')
  socket.send(message, port, '127.0.0.1')
  const answered = once(socket, 'message')
  if (name !== 'failing') await expect.poll(() => waiting.has(name)).toBe(true)
  waiting.get(name)?.(answers)
  const [answer] = (await answered) as [Buffer]
  socket.close()
  return answer
}

describe('DNS on this machine', () => {
  it('answers over UDP', async () => {
    const { id, answers } = decode(await overUdp(query('a', 7), 'a', [record('a', 3)]))
    expect({ id, answers: answers?.length }).toEqual({ id: 7, answers: 1 })
  })

  it('sends who gets too much to TCP', async () => {
    const answer = await overUdp(query('a', 7), 'a', [record('a', 30)])
    expect(answer.length).toBeLessThan(50)
    expect(decode(answer)).toMatchObject({ id: 7, flag_tc: true, questions: [{ name: 'a' }], answers: [] })
  })

  it('says that there was no answer', async () => {
    expect(decode(await overUdp(query('failing', 9), 'failing', []))).toMatchObject({ id: 9, rcode: 'SERVFAIL' })
  })

  it('answers several over one TCP connection, in the order in which the answers come', async () => {
    const socket = connect({ host: '127.0.0.1', port })
    const all = Buffer.concat([
      streamEncode({ type: 'query', id: 1, questions: [{ type: 'TXT', name: 'one' }] }),
      streamEncode({ type: 'query', id: 2, questions: [{ type: 'TXT', name: 'two' }] }),
    ])
    for (const byte of all) socket.write(Buffer.of(byte))
    await expect.poll(() => waiting.size).toBe(2)
    waiting.get('two')?.([record('two', 30)])
    const [second] = (await once(socket, 'data')) as [Buffer]
    waiting.get('one')?.([record('one', 1)])
    const [first] = (await once(socket, 'data')) as [Buffer]
    expect([streamDecode(second).id, streamDecode(first).id]).toEqual([2, 1])
    expect(streamDecode(second).answers?.length).toBe(1)
    socket.destroy()
  })
})
