import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Socks5Event, Socks5Reader, Socks5Reply, socks5Reply } from '../../../cli/outbound/socks5.ts'

const greeting = Buffer.from([5, 2, 0, 2])
const named = (name: string, port: number): Buffer =>
  Buffer.from([5, 1, 0, 3, name.length, ...Buffer.from(name), port >> 8, port & 0xff])
const ipv4 = Buffer.from([5, 1, 0, 1, 10, 0, 0, 7, 0x1f, 0x90])
const ipv6 = Buffer.from([5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, ...Array.from({ length: 11 }, () => 0), 1, 0, 80])

function read(...chunks: Buffer[]): Socks5Event[] {
  const reader = new Socks5Reader()
  return chunks.flatMap((chunk) => reader.read(chunk))
}

describe('a SOCKS5 client', () => {
  it.each([
    ['orders.shop', named('orders.shop', 443), 443],
    ['10.0.0.7', ipv4, 8080],
    ['2001:db8::1', ipv6, 80],
  ])('asks for %s, however its bytes are cut', (host, request, port) => {
    const bytes = Buffer.concat([greeting, request, Buffer.from('hello')])
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const events = read(bytes.subarray(0, cut), bytes.subarray(cut))
      expect(events.map(({ kind }) => kind)).toEqual(['greeted', 'connect'])
      expect(events[0]).toMatchObject({ reply: Buffer.from([5, 0]) })
      expect(events[1]).toMatchObject({ host, port })
    }
    const bytewise = read(...Array.from(bytes, (byte) => Buffer.from([byte])))
    expect(bytewise[1]).toMatchObject({ kind: 'connect', host, port, rest: Buffer.alloc(0) })
    expect(read(bytes)[1]).toMatchObject({ rest: Buffer.from('hello') })
  })

  it.each([
    ['authentication only', Buffer.from([5, 1, 2]), [5, 0xff]],
    ['no method', Buffer.from([5, 0]), [5, 0xff]],
    ['BIND', Buffer.concat([greeting, Buffer.from([5, 2, 0, 1, 1, 2, 3, 4, 0, 80])]), [...socks5Reply(7)]],
    ['UDP', Buffer.concat([greeting, Buffer.from([5, 3, 0, 1, 0, 0, 0, 0, 0, 0])]), [...socks5Reply(7)]],
    ['an unknown address type', Buffer.concat([greeting, Buffer.from([5, 1, 0, 9])]), [...socks5Reply(8)]],
    ['no name', Buffer.concat([greeting, named('', 80)]), [...socks5Reply(1)]],
    ['port 0', Buffer.concat([greeting, named('orders', 0)]), [...socks5Reply(1)]],
    ['SOCKS4', Buffer.from([4, 1, 0, 80]), []],
  ])('is refused: %s', (_what, bytes, reply) => {
    const last = read(bytes).at(-1)
    expect(last).toMatchObject({ kind: 'refused', reply: Buffer.from(reply) })
  })

  it('may say anything: it never throws, and is read once', () => {
    const header = fc.constantFrom(
      Buffer.alloc(0),
      Buffer.from([5]),
      greeting,
      Buffer.concat([greeting, Buffer.from([5, 1, 0])]),
    )
    fc.assert(
      fc.property(header, fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (first, chunks) => {
        const reader = new Socks5Reader()
        const events = [first, ...chunks.map((chunk) => Buffer.from(chunk))].flatMap((chunk) => reader.read(chunk))
        expect(events.filter(({ kind }) => kind === 'greeted').length).toBeLessThanOrEqual(1)
        const ends = events.findIndex(({ kind }) => kind !== 'greeted')
        if (ends >= 0) expect(ends).toBe(events.length - 1)
      }),
    )
  })
})

it('a reply is ten bytes', () => {
  expect(socks5Reply(Socks5Reply.ConnectionRefused)).toEqual(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]))
})
