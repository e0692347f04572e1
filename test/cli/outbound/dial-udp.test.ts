import { expect, it } from 'vitest'
import { dialUdp, type UdpFlow } from '../../../cli/outbound/dial-udp.ts'
import type { TunnelStream } from '../../../src/tunnel/index.ts'
import { tunnelTo } from '../../proxy-pod/support/tunnel-ends.ts'

const silent = { onData: () => undefined, onEnd: () => undefined, onReset: () => undefined, onDrain: () => undefined }

/** What happens to a flow until it is closed. */
async function story(proxyPod: (stream: TunnelStream) => void, begin: (flow: UdpFlow) => void): Promise<string[]> {
  const { laptop } = await tunnelTo(proxyPod)
  const told: string[] = []
  return new Promise((resolve) => {
    const flow = dialUdp(laptop.open({ proto: 'udp' }), {
      onDatagram: (datagram) => told.push(datagram.toString()),
      onClosed: (code, message) => resolve([...told, code, message]),
    })
    begin(flow)
  })
}

it('has its datagrams, then the code with which it ends', async () => {
  const echoOnce = (stream: TunnelStream): void => {
    stream.handle({
      ...silent,
      onDatagram: (datagram) => {
        stream.sendDatagram(datagram)
        setImmediate(() => setImmediate(() => stream.reset('ECONNREFUSED')))
      },
    })
    stream.accept()
  }
  const told = await story(echoOnce, (flow) => flow.send(Buffer.from('ping')))
  expect(told).toEqual(['ping', 'ECONNREFUSED', expect.stringContaining('ECONNREFUSED')])
})

it('says why the proxy pod does not take it', async () => {
  const refuse = (stream: TunnelStream): void => stream.refuse('not-allowed', 'it is the node’s')
  expect(await story(refuse, (flow) => flow.send(Buffer.from('ping')))).toEqual(['not-allowed', 'it is the node’s'])
})

it('resets its stream when it is closed, and says no more', async () => {
  const code = await new Promise<string>((resolve) => {
    const wait = (stream: TunnelStream): void => {
      stream.handle({ ...silent, onReset: resolve })
      stream.accept()
    }
    void story(wait, (flow) => {
      flow.close()
      flow.send(Buffer.from('ping'))
    })
  })
  expect(code).toBe('closed')
})
