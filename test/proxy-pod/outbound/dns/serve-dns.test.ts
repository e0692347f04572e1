import { once } from 'node:events'
import { expect, it } from 'vitest'
import { type AnswerMessage, serveDns } from '../../../../proxy-pod/outbound/dns/serve-dns.ts'
import { framed, MessageReader } from '../../../../src/dns/framing.ts'
import { encodeQuery } from '../../../../src/dns/message.ts'
import { duplexOf } from '../../../../src/tunnel/index.ts'
import { tunnelTo } from '../../support/tunnel-ends.ts'

async function open(answer: AnswerMessage) {
  const { laptop } = await tunnelTo((stream) => serveDns(stream, answer))
  const duplex = duplexOf(laptop.open({ dns: { namespace: 'shop' } }))
  const reader = new MessageReader()
  const answers: Buffer[] = []
  duplex.on('data', (chunk) => answers.push(...reader.read(chunk)))
  return { duplex, answers }
}

it('answers each message as it is known, and ends when its peer has', async () => {
  const { duplex, answers } = await open(async (message) => {
    if (message.toString() === 'slow') await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    return message.toString() === 'drop' ? undefined : Buffer.from(`${message} answered`)
  })
  duplex.end(Buffer.concat(['slow', 'drop', 'fast'].map((text) => framed(Buffer.from(text)))))
  await once(duplex, 'end')
  expect(answers.map(String)).toEqual(['fast answered', 'slow answered'])
})

it('has a bounded number under way, and takes far more', async () => {
  let underWay = 0
  let most = 0
  const { duplex, answers } = await open(async (message) => {
    underWay += 1
    most = Math.max(most, underWay)
    await new Promise((resolve) => setImmediate(resolve))
    underWay -= 1
    return message
  })
  const message = framed(Buffer.alloc(60_000))
  for (let count = 0; count < 300; count += 1) duplex.write(count < 20 ? message : framed(Buffer.from([count & 255])))
  duplex.end()
  await once(duplex, 'end')
  expect(answers).toHaveLength(300)
  expect(most).toBeLessThanOrEqual(128)
})

it('what cannot be answered is a failure of the server', async () => {
  const { duplex, answers } = await open(() => Promise.reject(new Error('broken')))
  duplex.end(framed(encodeQuery({ id: 5, name: 'a.b', type: 'A' })))
  await once(duplex, 'end')
  expect(answers.map((one) => [one.readUInt16BE(0), one.readUInt8(3) & 15])).toEqual([[5, 2]])
})

it('stops what is under way when the laptop has gone', async () => {
  const aborted = new Promise<void>((resolve) => {
    void open((_message, signal) => {
      signal.addEventListener('abort', () => resolve())
      return new Promise(() => undefined)
    }).then(async ({ duplex }) => {
      duplex.on('error', () => undefined)
      duplex.write(framed(Buffer.from('x')))
      await new Promise((done) => setImmediate(done))
      duplex.destroy()
    })
  })
  await aborted
})
