import { describe, expect, test } from 'vitest'
import { httpLimits } from '../../../src/http/limits.ts'
import { filteredClaim } from '../support/claims.ts'
import { turns } from '../support/peer.ts'
import { Port } from '../support/port.ts'

const host = 'Host: orders\r\n'
const get = (fields: string): string => `GET / HTTP/1.1\r\n${host}${fields}\r\n`
const post = (fields: string, body = ''): string => `POST / HTTP/1.1\r\n${host}${fields}\r\n${body}`
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body)
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: orders\r\n\r\n'

/** Refused before an upstream is asked. */
const heads: readonly (readonly [name: string, bytes: string, status: number])[] = [
  ['two lengths', post('Content-Length: 3\r\nContent-Length: 44\r\n', `abc${smuggled}`), 400],
  ['two equal lengths', post('Content-Length: 3\r\nContent-Length: 3\r\n', `abc${smuggled}`), 400],
  ['a list of lengths', post('Content-Length: 3, 3\r\n', `abc${smuggled}`), 400],
  ['a length with a sign', post('Content-Length: +3\r\n', 'abc'), 400],
  ['a negative length', post('Content-Length: -3\r\n', 'abc'), 400],
  ['a length with a space in it', post('Content-Length: 3 0\r\n', 'abc'), 400],
  ['a length in hexadecimal', post('Content-Length: 0x3\r\n', 'abc'), 400],
  ['an empty length', post('Content-Length:\r\n', 'abc'), 400],
  ['a length past every number', post('Content-Length: 99999999999999999999\r\n', 'abc'), 400],
  ['length, then chunked', post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`), 400],
  ['chunked, then length', post('Transfer-Encoding: chunked\r\nContent-Length: 6\r\n', `0\r\n\r\n${smuggled}`), 400],
  ['chunked twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
  ['chunked twice in a list', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 400],
  ['chunked that is not last', post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'), 400],
  ['an empty coding', post('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n'), 400],
  ['no coding', post('Transfer-Encoding:\r\n', '0\r\n\r\n'), 400],
  ['another coding', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501],
  ['almost chunked', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 501],
  ['identity', post('Transfer-Encoding: identity\r\n', smuggled), 501],
  ['chunked with a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'), 400],
  ['chunked in HTTP/1.0', `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['a folded field', get('X-A: 1\r\n Transfer-Encoding: chunked\r\n'), 400],
  ['a first field that is folded', `GET / HTTP/1.1\r\n ${host}\r\n`, 400],
  ['bare LF after the request line', `GET / HTTP/1.1\n${host}\r\n`, 400],
  ['bare LF between fields', get('X-A: 1\nX-B: 2\r\n'), 400],
  ['bare LF only', 'GET / HTTP/1.1\nHost: orders\n\n', 400],
  ['bare CR in a value', get('X-A: 1\rX-B: 2\r\n'), 400],
  ['bare CR at the end of a line', get('X-A: 1\r\r\n'), 400],
  ['NUL in a value', get('X-A: a\0b\r\n'), 400],
  ['NUL in a name', get('X\0A: b\r\n'), 400],
  ['a control character in a value', get('X-A: \x01\r\n'), 400],
  ['DEL in a value', get('X-A: \x7f\r\n'), 400],
  ['space before the colon', post('Content-Length : 3\r\n', 'abc'), 400],
  ['tab before the colon', post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'), 400],
  ['no name', get(': x\r\n'), 400],
  ['no colon', get('X-A\r\n'), 400],
  ['a name with a bracket', get('X(A): 1\r\n'), 400],
  ['a name past ASCII', get('X-\xe9: 1\r\n'), 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', get('Host: other\r\n'), 400],
  ['two equal Hosts', get(host), 400],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: orders/mine\r\n\r\n', 400],
  ['a Host with user information', 'GET / HTTP/1.1\r\nHost: a@orders\r\n\r\n', 400],
  ['two Hosts in one', 'GET / HTTP/1.1\r\nHost: orders, other\r\n\r\n', 400],
  ['a Host that is not the target’s', 'GET http://other/ HTTP/1.1\r\nHost: orders\r\n\r\n', 400],
  ['two spaces before the target', `GET  / HTTP/1.1\r\n${host}\r\n`, 400],
  ['two spaces after the target', `GET /  HTTP/1.1\r\n${host}\r\n`, 400],
  ['a tab in the request line', `GET /\tHTTP/1.1\r\n${host}\r\n`, 400],
  ['a space in the target', `GET /a b HTTP/1.1\r\n${host}\r\n`, 400],
  ['a target without a slash', `GET mine HTTP/1.1\r\n${host}\r\n`, 400],
  ['no target', `GET HTTP/1.1\r\n${host}\r\n`, 400],
  ['no version', 'GET /\r\n\r\n', 400],
  ['something after the version', `GET / HTTP/1.1 x\r\n${host}\r\n`, 400],
  ['a version in lower case', `GET / http/1.1\r\n${host}\r\n`, 400],
  ['another version', `GET / HTTP/2.0\r\n${host}\r\n`, 505],
  ['an unknown minor version', `GET / HTTP/1.2\r\n${host}\r\n`, 505],
  ['two empty lines first', `\r\n\r\n${get('')}`, 400],
  ['bare LF first', `\n${get('')}`, 400],
  ['a method that is no token', `G(T / HTTP/1.1\r\n${host}\r\n`, 400],
  ['CONNECT with a length', `CONNECT a:1 HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`, 400],
  ['CONNECT to a path', `CONNECT / HTTP/1.1\r\n${host}\r\n`, 400],
  ['a head that is too large', get(`X-A: ${'a'.repeat(httpLimits.headBytes)}\r\n`), 431],
  ['a head without end', `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(2 * httpLimits.headBytes)}`, 431],
]

/** Found in the body: the upstream has a beginning, and is reset. */
const bodies: readonly (readonly [name: string, body: string, status: number])[] = [
  ['a chunk without a size', `\r\n${smuggled}`, 400],
  ['a size that is no number', `x\r\n${smuggled}`, 400],
  ['a size in C', `0x3\r\nabc\r\n0\r\n\r\n${smuggled}`, 400],
  ['a size with a sign', `+3\r\nabc\r\n0\r\n\r\n${smuggled}`, 400],
  ['a negative size', `-1\r\n${smuggled}`, 400],
  ['a size with a space', `3 \r\nabc\r\n0\r\n\r\n${smuggled}`, 400],
  ['a size with an underscore', `1_0\r\nabc\r\n0\r\n\r\n${smuggled}`, 400],
  ['a size that overflows', `10000000000000003\r\nabc\r\n0\r\n\r\n${smuggled}`, 400],
  ['a size that ends in bare LF', `3\nabc\r\n0\r\n\r\n${smuggled}`, 400],
  ['a size that ends in bare CR', `3\rabc\r\n0\r\n\r\n${smuggled}`, 400],
  ['data longer than the size', `3\r\nabcd\r\n0\r\n\r\n${smuggled}`, 400],
  ['data that ends in bare LF', `3\r\nabc\n0\r\n\r\n${smuggled}`, 400],
  ['an extension with bare LF', `3;a\nabc\r\n0\r\n\r\n${smuggled}`, 400],
  ['an extension with NUL', `3;a=\0\r\nabc\r\n0\r\n\r\n${smuggled}`, 400],
  ['an extension without end', `3;${'a'.repeat(httpLimits.chunkLineBytes + 1)}`, 431],
  ['a length as a trailer', `0\r\nContent-Length: 5\r\n\r\n${smuggled}`, 400],
  ['chunked as a trailer', `0\r\ntransfer-encoding: chunked\r\n\r\n${smuggled}`, 400],
  ['Host as a trailer', `0\r\nHost: other\r\n\r\n${smuggled}`, 400],
  ['a trailer without a name', `0\r\n: a\r\n\r\n${smuggled}`, 400],
  ['a trailer without a colon', `0\r\nabc\r\n\r\n${smuggled}`, 400],
  ['a folded trailer', `0\r\nA: b\r\n c\r\n\r\n${smuggled}`, 400],
  ['a trailer with bare LF', `0\r\nA: b\n\r\n${smuggled}`, 400],
  ['trailers without end', `0\r\nA: ${'a'.repeat(httpLimits.trailerBytes + 1)}`, 431],
  ['bare CR at the end', `0\r\n\rX${smuggled}`, 400],
]

const pieces: readonly (readonly [name: string, cut: (bytes: Buffer) => Buffer[]])[] = [
  ['in one piece', (bytes) => [bytes]],
  ['in two', (bytes) => [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)]],
]

describe.each(pieces)('%s', (_how, cut) => {
  test.each(heads)('%s is refused and reaches no upstream', async (_name, text, status) => {
    const port = await Port.open({ claims: [filteredClaim(undefined)] })
    const client = await port.dial()
    for (const piece of cut(Buffer.from(text, 'latin1'))) {
      client.write(piece)
      await turns(5)
    }
    await client.until(({ ended, closed }) => ended || closed)
    expect(client.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(client.text).toMatch(/\r\nConnection: close\r\n/)
    expect(client.text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(port.origin.peers).toHaveLength(0)
  })

  test.each(bodies)('%s: the upstream never has the whole of it', async (_name, body, status) => {
    // Answers nothing: a lenient one that only records.
    const port = await Port.open({ claims: [filteredClaim(undefined)] })
    const client = (await port.dial()).write(chunked(''))
    const origin = await port.origin.peer()
    await origin.got(chunked(''))
    for (const piece of cut(Buffer.from(body, 'latin1'))) {
      client.write(piece)
      await turns(5)
    }
    await client.until(({ ended, closed }) => ended || closed)
    expect(client.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    await origin.until(({ closed }) => closed)
    expect(origin.failure).toBe('ECONNRESET')
    expect(origin.text).not.toContain('smuggled')
    expect(origin.text.slice(chunked('').length)).not.toMatch(/(^|\r\n)0[^\r\n]*\r\n([^\r\n]+\r\n)*\r\n/)
  })
})

test('a refused request ahead does not disturb the one under way', async () => {
  const port = await Port.open({ claims: [filteredClaim(undefined)] })
  const client = (await port.dial()).write(get('')).write(post('Content-Length: 1\r\nContent-Length: 2\r\n', 'x'))
  const origin = await (await port.origin.peer()).got(get(''))
  await turns()
  origin.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  await client.until(({ ended }) => ended)
  expect(client.text).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP\/1\.1 400 /)
  expect(origin.text).toBe(get(''))
})

const responses: readonly (readonly [name: string, bytes: string])[] = [
  ['a status line that is none', 'HTP/1.1 200 OK\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['length and chunked', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 1\n\na'],
  ['NUL', 'HTTP/1.1 200 OK\r\nX: \0\r\n\r\n'],
  ['a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
  ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
  ['a head that is too large', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(httpLimits.headBytes)}\r\n\r\n`],
]

test.each(responses)('a response with %s becomes a 502', async (_name, bytes) => {
  const port = await Port.open({ claims: [filteredClaim(undefined)] })
  const client = (await port.dial()).write(get(''))
  const origin = await (await port.origin.peer()).got(get(''))
  origin.write(Buffer.from(bytes, 'latin1'))
  await client.until(({ ended }) => ended)
  expect(client.text).toMatch(/^HTTP\/1\.1 502 /)
})

test('a response that goes wrong in the middle is cut', async () => {
  const port = await Port.open({ claims: [filteredClaim(undefined)] })
  const client = (await port.dial()).write(get(''))
  const origin = await (await port.origin.peer()).got(get(''))
  const begun = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'
  origin.write(begun)
  await client.got(begun)
  origin.write('zz\r\n')
  await client.until(({ closed }) => closed)
  expect(client.failure).toBe('ECONNRESET')
})

test('what an upstream says beyond its response is nobody’s response', async () => {
  const port = await Port.open({ claims: [filteredClaim(undefined)] })
  const client = (await port.dial()).write(get(''))
  const origin = await (await port.origin.peer()).got(get(''))
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  origin.write(`${answer}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`)
  await client.got(answer)
  client.write(get(''))
  const second = await (await port.origin.peer(1)).got(get(''))
  second.write(answer)
  await client.got(answer + answer)
})
