import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bindMessage,
  kernelVerdict,
  parseMessages,
  settingsMessage,
  verdictMessage,
} from '../../../../../cli/outbound/twin/keeper/queue-messages.ts'

/** A message as the kernel sends one. */
function fromKernel(type: number, sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(16 + body.length, 0)
  head.writeUInt16LE(type, 4)
  head.writeUInt32LE(sequence, 8)
  return Buffer.concat([head, body, Buffer.alloc((4 - (body.length % 4)) % 4)])
}

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(4 + value.length, 0)
  head.writeUInt16LE(type, 2)
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)])
}

const packetMessage = (id: number, payload: string): Buffer => {
  const header = Buffer.alloc(7)
  header.writeUInt32BE(id)
  const attributes = [attribute(1, header), attribute(9, Buffer.alloc(3)), attribute(10, Buffer.from(payload))]
  return fromKernel(0x300, 0, Buffer.concat([Buffer.from([2, 0, 0, 0]), ...attributes]))
}

test('packets and answers, several in one read', () => {
  const answer = fromKernel(2, 7, Buffer.from([0xff, 0xff, 0xff, 0xff]))
  expect(parseMessages(Buffer.concat([packetMessage(3, 'abcde'), answer, packetMessage(4, '')]))).toEqual([
    { kind: 'packet', packet: { id: 3, bytes: Buffer.from('abcde') } },
    { kind: 'answer', sequence: 7, errno: 1 },
    { kind: 'packet', packet: { id: 4, bytes: Buffer.alloc(0) } },
  ])
})

test('what we send is as the kernel has it', () => {
  expect(bindMessage(0, 1).toString('hex')).toBe('1c00000002030500010000000000000000000000080001000100' + '0002')
  expect(verdictMessage(0, 5, kernelVerdict.accept, 2).toString('hex')).toBe(
    '2800000001030100' +
      '0000000000000000' +
      '00000000' +
      '0c000200' +
      '00000001' +
      '00000005' +
      '08000300' +
      '00000002',
  )
  const settings = settingsMessage(0, 2, 4_096)
  expect(settings.readUInt32LE(0)).toBe(settings.length)
  expect(settings.includes(Buffer.from('090002000000ffff02000000', 'hex'))).toBe(true)
})

test('never throws, never loops', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseMessages(Buffer.from(bytes))))
  const message = packetMessage(9, 'payload')
  fc.assert(
    fc.property(fc.nat(message.length - 1), fc.nat(255), (at, value) => {
      const broken = Buffer.from(message)
      broken[at] = value
      parseMessages(broken)
    }),
  )
})
