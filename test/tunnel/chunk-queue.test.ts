import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkQueue } from '../../src/tunnel/chunk-queue.ts'
import { bytesFrom } from './support/bytes.ts'

describe('ChunkQueue', () => {
  it('gives the bytes back in order, in whatever portions', () => {
    const step = fc.oneof(
      fc.record({ push: fc.oneof(fc.nat(20), fc.nat(3_000)) }),
      fc.record({ take: fc.oneof(fc.nat(30), fc.nat(50_000)) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new ChunkQueue()
        const out: Buffer[] = []
        let pushed = 0
        let taken = 0
        for (const one of [...steps, { take: Number.MAX_SAFE_INTEGER }]) {
          if ('push' in one) {
            queue.push(bytesFrom(1, pushed, one.push))
            pushed += one.push
          } else {
            const most = Math.min(one.take, pushed - taken)
            const before = out.length
            queue.take(one.take, { bytes: (chunk) => out.push(chunk) })
            taken += out.slice(before).reduce((sum, chunk) => sum + chunk.length, 0)
            expect(taken).toBeGreaterThanOrEqual(most)
          }
          expect(queue.bytes).toBe(pushed - taken)
        }
        expect(Buffer.concat(out).equals(bytesFrom(1, 0, pushed))).toBe(true)
      }),
    )
  })

  it('costs about its bytes, however small the chunks', () => {
    const queue = new ChunkQueue()
    for (let index = 0; index < 60_000; index += 1) queue.push(Buffer.from('x'))
    const chunks: Buffer[] = []
    queue.take(60_000, { bytes: (chunk) => chunks.push(chunk) })
    expect(chunks.length).toBeLessThan(10)
    const held = new Set(chunks.map((chunk) => chunk.buffer))
    expect([...held].reduce((sum, buffer) => sum + buffer.byteLength, 0)).toBeLessThan(100_000)
  })
})
