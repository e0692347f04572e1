import { expect, test } from 'vitest'
import { Routed, server } from '../support/http2-port.ts'
import { dial } from '../support/peer.ts'

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** HPACK: literal fields without indexing, not compressed. */
function block(fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string) => [value.length, ...Buffer.from(value, 'latin1')]
  return Buffer.from(fields.flatMap(([name, value]) => [0, ...text(name), ...text(value)]))
}

const sane = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'orders'],
] as const

const cases: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  ['an upper-case name', [...sane, ['X-A', '1']]],
  ['connection', [...sane, ['connection', 'close']]],
  ['transfer-encoding', [...sane, ['transfer-encoding', 'chunked']]],
  ['http2-settings', [...sane, ['http2-settings', 'AAMAAABk']]],
  ['te that is not trailers', [...sane, ['te', 'gzip']]],
  ['a pseudo-header after a field', [...sane.slice(0, 3), ['a', '1'], [':authority', 'orders']]],
  ['an unknown pseudo-header', [...sane, [':x', '1']]],
  ['a pseudo-header twice', [...sane, [':path', '/2']]],
  ['no :path', [...sane.slice(0, 2), [':authority', 'orders']]],
  [
    'an empty :path',
    [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', ''],
      [':authority', 'orders'],
    ],
  ],
  ['two content-lengths', [...sane, ['content-length', '1'], ['content-length', '2']]],
]

test.each(cases)('%s is refused and reaches no upstream', async (_name, fields) => {
  let asked = 0
  const origin = await server(() => {
    asked += 1
  })
  const routed = await new Routed(origin.port).listen()
  const client = await dial(routed.port)
  client.write(Buffer.concat([preface, frame(4, 0, 0, Buffer.alloc(0)), frame(1, 5, 1, block(fields))]))
  // RST_STREAM of stream 1 with PROTOCOL_ERROR, or GOAWAY with it.
  const reset = frame(3, 0, 1, Buffer.from([0, 0, 0, 1]))
  await client.until(({ bytes, closed }) => bytes.includes(reset) || closed)
  expect(client.bytes.includes(reset)).toBe(true)
  expect(asked).toBe(0)
  client.reset()
})

test.each([
  ['longer than', '2', [frame(0, 1, 1, Buffer.from('xyz'))]],
  ['longer than', '2', [frame(0, 0, 1, Buffer.from('xy')), frame(0, 1, 1, Buffer.from('z'))]],
  ['shorter than', '4', [frame(0, 1, 1, Buffer.from('xyz'))]],
  ['shorter than', '4', [frame(0, 0, 1, Buffer.from('xyz')), frame(0, 1, 1, Buffer.alloc(0))]],
])(
  'a body %s its content-length %s is refused, and never looks complete to the upstream',
  async (_how, length, body) => {
    const ends: [boolean, number][] = []
    let begun = 0
    const origin = await server((stream) => {
      begun += 1
      let isEnded = false
      stream.resume().on('end', () => {
        isEnded = !stream.aborted
      })
      stream.on('close', () => ends.push([isEnded, stream.rstCode ?? 0]))
    })
    const routed = await new Routed(origin.port).listen()
    const client = await dial(routed.port)
    const head = frame(1, 4, 1, block([...sane, ['content-length', length]]))
    client.write(Buffer.concat([preface, frame(4, 0, 0, Buffer.alloc(0)), head]))
    // The head has gone on when the body comes.
    await expect.poll(() => begun).toBe(1)
    client.write(Buffer.concat(body))
    const reset = frame(3, 0, 1, Buffer.from([0, 0, 0, 1]))
    await client.until(({ bytes, closed }) => bytes.includes(reset) || closed)
    expect(client.bytes.includes(reset)).toBe(true)
    await expect.poll(() => ends).toEqual([[false, 1]])
    client.reset()
  },
)

test.each(['b\r\nc: d', 'b\0c'])('a field whose value is %j is not passed on', async (value) => {
  const seen: string[][] = []
  const origin = await server((stream, raw) => {
    seen.push([...raw])
    stream.respond({ ':status': 200 }, { endStream: true })
  })
  const routed = await new Routed(origin.port).listen()
  const client = await dial(routed.port)
  const head = frame(1, 5, 1, block([...sane, ['a', value]]))
  client.write(Buffer.concat([preface, frame(4, 0, 0, Buffer.alloc(0)), head]))
  await expect.poll(() => seen.length).toBe(1)
  expect(seen[0]).not.toContain('a')
  client.reset()
})
