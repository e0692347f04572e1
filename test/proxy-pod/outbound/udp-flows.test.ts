import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { dialUdp, type UdpFlow } from '../../../cli/outbound/dial-udp.ts'
import { UdpFlows, udpFlowLimits } from '../../../proxy-pod/outbound/udp-flows.ts'
import { InterceptError } from '../../../src/errors.ts'
import { tunnelTo } from '../support/tunnel-ends.ts'

type Address = { host: string; port: number }

/** Sends every datagram back. */
async function echo(): Promise<Address & { close(): void }> {
  const socket = createSocket('udp4')
  socket.on('message', (datagram, from) => socket.send(datagram, from.port, from.address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  let isOpen = true
  const close = (): void => {
    if (isOpen) socket.close()
    isOpen = false
  }
  onTestFinished(close)
  return { host: '127.0.0.1', port: socket.address().port, close }
}

interface Caller {
  readonly flow: UdpFlow
  readonly received: string[]
  /** Resolves with the next datagram. */
  next(): Promise<string>
  readonly closed: Promise<string>
}

async function setUp(resolve: () => Promise<readonly Address[]>, limits: Partial<typeof udpFlowLimits> = {}) {
  const flows = new UdpFlows({ ...udpFlowLimits, ...limits })
  const { laptop } = await tunnelTo((stream) => flows.serve(stream, resolve))
  const dial = (): Caller => {
    const received: string[] = []
    const waiting: ((text: string) => void)[] = []
    let onClosed: (code: string) => void
    const closed = new Promise<string>((done) => {
      onClosed = done
    })
    const flow = dialUdp(laptop.open({ proto: 'udp' }), {
      onDatagram: (datagram) => {
        received.push(datagram.toString())
        waiting.shift()?.(datagram.toString())
      },
      onClosed: (code) => onClosed(code),
    })
    return { flow, received, closed, next: () => new Promise((done) => waiting.push(done)) }
  }
  return { flows, dial }
}

it('passes datagrams both ways, also those that came before the socket', async () => {
  const server = await echo()
  const { dial } = await setUp(async () => [server])
  const { flow, next, received } = dial()
  for (const text of ['a', 'bc', 'd'.repeat(9_000)]) {
    const answered = next()
    flow.send(Buffer.from(text))
    expect(await answered).toBe(text)
  }
  expect(received).toHaveLength(3)
})

it('ends with the errno that ICMP brings', async () => {
  const server = await echo()
  server.close()
  const { flows, dial } = await setUp(async () => [server])
  const { flow, closed } = dial()
  flow.send(Buffer.from('x'))
  expect(await closed).toBe('ECONNREFUSED')
  expect(flows.size).toBe(0)
})

it('is refused where the name leads nowhere', async () => {
  const { flows, dial } = await setUp(() => Promise.reject(new InterceptError('name-not-found', 'no such name')))
  expect(await dial().closed).toBe('name-not-found')
  expect(flows.size).toBe(0)
})

it('ends when the laptop is done with it', async () => {
  const server = await echo()
  const { flows, dial } = await setUp(async () => [server])
  const { flow, next } = dial()
  const answered = next()
  flow.send(Buffer.from('x'))
  await answered
  expect(flows.size).toBe(1)
  flow.close()
  const other = dial()
  const again = other.next()
  other.flow.send(Buffer.from('y'))
  await again
  expect(flows.size).toBe(1)
})

it('ends when it was silent; the one that was silent longest makes room', async () => {
  const server = await echo()
  const { dial } = await setUp(async () => [server], { mostFlows: 2, idleMs: 150 })
  const callers = [dial(), dial()] as const
  for (const { flow, next } of [...callers].reverse()) {
    const answered = next()
    flow.send(Buffer.from('x'))
    await answered
  }
  const third = dial()
  expect(await callers[1].closed).toBe('idle')
  expect(await callers[0].closed).toBe('idle')
  expect(await third.closed).toBe('idle')
})
