import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeadReader } from '../../src/http/head-reader.ts'
import { httpLimits } from '../../src/http/limits.ts'
import { parseRequest } from '../../src/http/request-message.ts'

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/)
const value = fc.stringMatching(/^([!-~]([ -~]{0,20}[!-~])?)?$/)
const framing = /^(host|content-length|transfer-encoding)$/i

test('a head is found whole however it is cut, and read as it was sent', () => {
  fc.assert(
    fc.property(
      token,
      fc.webPath(),
      fc.array(
        fc.tuple(
          token.filter((name) => !framing.test(name)),
          value,
        ),
        { maxLength: 8 },
      ),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
      (method, path, fields, sizes) => {
        if (method === 'CONNECT') return
        const target = `/${path.replace(/^\//, '')}`
        const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join('')
        const head = Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: orders:80\r\n${lines}\r\n`)
        const rest = Buffer.from('next')
        const all = Buffer.concat([head, rest])
        const reader = new HeadReader()
        for (let at = 0, turn = 0; ; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1
          const found = reader.read(all.subarray(at, at + size))
          if (!found) {
            at += size
            continue
          }
          expect(found.bytes.equals(head)).toBe(true)
          expect(at + found.taken).toBe(head.length)
          const request = parseRequest(found.bytes)
          expect(request).toMatchObject({ method, target, authority: 'orders:80', body: 0 })
          expect(request.rawHeaders).toEqual(['Host', 'orders:80', ...fields.flat()])
          expect(reader.isEmpty).toBe(true)
          return
        }
      },
    ),
  )
})

describe('the limit', () => {
  const head = (length: number): Buffer => {
    const rest = 'GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n'
    return Buffer.from(rest.replace('X: ', `X: ${'a'.repeat(length - rest.length)}`))
  }

  test('holds to the byte, in one piece and in two', () => {
    const fits = head(httpLimits.headBytes)
    const over = head(httpLimits.headBytes + 1)
    expect(new HeadReader().read(fits)?.taken).toBe(fits.length)
    expect(() => new HeadReader().read(over)).toThrow(/65536/)
    for (const [bytes, isOver] of [
      [fits, false],
      [over, true],
    ] as const) {
      const reader = new HeadReader()
      expect(reader.read(bytes.subarray(0, 1000))).toBeUndefined()
      if (isOver) expect(() => reader.read(bytes.subarray(1000))).toThrow(/65536/)
      else expect(reader.read(bytes.subarray(1000))?.taken).toBe(bytes.length - 1000)
    }
  })
})
