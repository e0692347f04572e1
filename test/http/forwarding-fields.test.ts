import { expect, test } from 'vitest'
import { forwardingFields, withFields, withoutFields } from '../../src/http/forwarding-fields.ts'

const received = { client: '10.0.0.7', authority: 'orders:80', proto: 'http', version: '1.1' } as const

test('nothing is added that was not asked for', () => {
  const head = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(withFields(head, forwardingFields({}, received))).toBe(head)
})

test('what is asked for comes after the fields that are there', () => {
  const lines = forwardingFields({ via: 'intercept', xForwarded: true, forwarded: true }, received)
  expect(withFields(Buffer.from('GET / HTTP/1.1\r\nVia: 1.1 a\r\n\r\n'), lines).toString()).toBe(
    'GET / HTTP/1.1\r\nVia: 1.1 a\r\nVia: 1.1 intercept\r\nX-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Host: orders:80\r\n' +
      'X-Forwarded-Proto: http\r\nForwarded: for=10.0.0.7;host="orders:80";proto=http\r\n\r\n',
  )
})

test('an IPv6 address is quoted as RFC 7239 wants it', () => {
  expect(forwardingFields({ forwarded: true }, { ...received, client: 'fd00::1' })).toBe(
    'Forwarded: for="[fd00::1]";host="orders:80";proto=http\r\n',
  )
})

test('an IPv4 address that came as IPv6 is IPv4; a host that nobody named is left out', () => {
  const mapped = { ...received, client: '::ffff:10.0.0.7', authority: '' }
  expect(forwardingFields({ xForwarded: true, forwarded: true }, mapped)).toBe(
    'X-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: http\r\nForwarded: for=10.0.0.7;proto=http\r\n',
  )
})

test('fields are taken out by name, in any case; everything else stays as it was', () => {
  const head = Buffer.from('GET /a:b HTTP/1.1\r\nHost: a\r\nBAGGAGE: x=1\r\nAccept:\t*/* \r\nbaggage:y=2\r\n\r\n')
  expect(withoutFields(head, new Set(['baggage'])).toString()).toBe(
    'GET /a:b HTTP/1.1\r\nHost: a\r\nAccept:\t*/* \r\n\r\n',
  )
})
