import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dumpRequest, parseListeners } from '../../../../../cli/outbound/twin/keeper/socket-diagnostics.ts'

/** As the kernel answers (inet_diag_msg). */
function listener(family: number, port: number, address: string): Buffer {
  const message = Buffer.alloc(16 + 72)
  message.writeUInt32LE(message.length, 0)
  message.writeUInt16LE(20, 4)
  message[16] = family
  message.writeUInt16BE(port, 20)
  Buffer.from(address, 'hex').copy(message, 24)
  return message
}

function end(type: number): Buffer {
  const message = Buffer.alloc(20)
  message.writeUInt32LE(20, 0)
  message.writeUInt16LE(type, 4)
  return message
}

test('listeners of both families, several in one read, until it is done', () => {
  const both = Buffer.concat([listener(2, 8080, '7f000001'), listener(10, 3000, '00'.repeat(16))])
  expect(parseListeners(both)).toEqual({
    found: [
      { address: '127.0.0.1', port: 8080 },
      { address: '::', port: 3000 },
    ],
    done: false,
  })
  expect(parseListeners(Buffer.concat([both, end(3)])).done).toBe(true)
})

test('an error is the end, too', () => {
  expect(parseListeners(end(2))).toEqual({ found: [], done: true })
})

test('the request: TCP of one family, only what listens', () => {
  const request = dumpRequest(2)
  expect([request.readUInt32LE(0), request.readUInt16LE(4), request.readUInt16LE(6)]).toEqual([72, 20, 0x301])
  expect([request[16], request[17], request.readUInt32LE(20)]).toEqual([2, 6, 1 << 10])
})

test('never throws, never loops', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseListeners(Buffer.from(bytes))))
})
