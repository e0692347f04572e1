import { expect, test } from 'vitest'
import { mayBecomeHttp, protocolOf } from '../../src/http/first-bytes.ts'

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

test.each([
  ['', 'undecided'],
  ['GE', 'undecided'],
  ['GET ', 'http1'],
  ['PATCH /', 'http1'],
  ['M-SEARCH * HTTP/1.1\r\n', 'http1'],
  ['M-SEARCH * HT', 'undecided'],
  ['\r\nGET /', 'http1'],
  ['P', 'undecided'],
  ['PRI * HTTP/2.0\r\n', 'undecided'],
  [preface, 'http2'],
  [`${preface}\0\0\0`, 'http2'],
  ['PRI * HTTP/2.0\r\n\r\nXX', 'http1'],
  ['get key\r\n', 'other'],
  ['SSH-2.0-OpenSSH_9\r\n', 'other'],
  ['\x16\x03\x01', 'other'],
  ['\0\0\0\x08', 'other'],
  ['*1\r\n$4\r\nPING\r\n', 'other'],
] as const)('%j: %s', (text, protocol) => {
  expect(protocolOf(Buffer.from(text, 'latin1'))).toBe(protocol)
})

test('what may still become a request is waited for', () => {
  expect(['G', 'DELET', 'PRI * HTTP/2', 'OPTIONS'].map((text) => mayBecomeHttp(Buffer.from(text)))).not.toContain(false)
  expect(['SS', 'get', 'FOO'].map((text) => mayBecomeHttp(Buffer.from(text)))).not.toContain(true)
})
