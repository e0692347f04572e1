import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TunnelError } from '../../src/tunnel/error.ts'
import { encodeFrame, FrameType, frameHeaderBytes } from '../../src/tunnel/frame.ts'
import { FrameDecoder } from '../../src/tunnel/frame-decoder.ts'
import { maxDataBytes, maxDatagramBytes } from '../../src/tunnel/limits.ts'
import { split } from './support/bytes.ts'

type Frame = { readonly type: FrameType; readonly stream: number; readonly payload: Buffer }

const headerBytes = 256
const payloadSizes: Record<FrameType, readonly [number, number]> = {
  [FrameType.Open]: [2, headerBytes],
  [FrameType.Accept]: [0, 0],
  [FrameType.Refuse]: [2, 400],
  [FrameType.Data]: [1, 600],
  [FrameType.Credit]: [4, 4],
  [FrameType.Fin]: [0, 0],
  [FrameType.Reset]: [0, 64],
  [FrameType.Datagram]: [0, 600],
  [FrameType.GoAway]: [2, 300],
}

const frame: fc.Arbitrary<Frame> = fc.constantFrom(...Object.values(FrameType)).chain((type) => {
  const [minLength, maxLength] = payloadSizes[type]
  return fc.record({
    type: fc.constant(type),
    stream: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes)),
  })
})

function collect() {
  const frames: Frame[] = []
  const decoder = new FrameDecoder(
    { onFrame: (type, stream, payload) => frames.push({ type, stream, payload: Buffer.from(payload) }) },
    { headerBytes },
  )
  return { frames, decoder }
}

const wire = (frames: readonly Frame[]) => Buffer.concat(frames.map((f) => encodeFrame(f.type, f.stream, f.payload)))

describe('the frame codec', () => {
  it('gives back what was encoded, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(20_000), { maxLength: 40 }), (sent, cuts) => {
        const { frames, decoder } = collect()
        for (const piece of split(wire(sent), cuts)) decoder.push(piece)
        expect(frames).toEqual(sent)
        expect(decoder.heldBytes).toBe(0)
      }),
    )
  })

  it('gives back what was encoded, byte by byte', () => {
    const sent = [
      { type: FrameType.Open, stream: 1, payload: Buffer.from('{}') },
      { type: FrameType.Data, stream: 0xffff_ffff, payload: Buffer.from('hello') },
      { type: FrameType.Fin, stream: 1, payload: Buffer.alloc(0) },
    ]
    const { frames, decoder } = collect()
    for (const byte of wire(sent)) decoder.push(Buffer.from([byte]))
    expect(frames).toEqual(sent)
  })

  it('does not copy the payload of a frame that came whole', () => {
    const bytes = encodeFrame(FrameType.Data, 1, Buffer.alloc(1_000))
    let payload: Buffer | undefined
    new FrameDecoder({ onFrame: (_type, _stream, view) => (payload = view) }, { headerBytes }).push(bytes)
    expect(payload?.buffer).toBe(bytes.buffer)
    expect(payload?.byteOffset).toBe(bytes.byteOffset + frameHeaderBytes)
  })

  it.each([
    ['an unknown type', [0x7f, 0, 0, 0, 0, 0, 0, 1]],
    ['type 0', [0, 0, 0, 0, 0, 0, 0, 1]],
    ['DATA without data', [FrameType.Data, 0, 0, 0, 0, 0, 0, 1]],
    ['DATA that is too long', [FrameType.Data, 1, 0, 1, 0, 0, 0, 1]],
    ['a header that is too long', [FrameType.Open, 0, 1, 1, 0, 0, 0, 1]],
    ['FIN with a payload', [FrameType.Fin, 0, 0, 1, 0, 0, 0, 1]],
    ['CREDIT of three bytes', [FrameType.Credit, 0, 0, 3, 0, 0, 0, 1]],
    ['a datagram that is too long', [FrameType.Datagram, 0, 0xff, 0xff, 0, 0, 0, 1]],
  ])('refuses %s before it takes room for it', (_what, bytes) => {
    for (const cut of [0, 3, 8]) {
      const { decoder } = collect()
      const push = () => {
        for (const piece of split(Buffer.from(bytes), [cut])) decoder.push(piece)
      }
      expect(push).toThrow(expect.objectContaining({ code: 'bad-frame' }))
      expect(decoder.heldBytes).toBeLessThanOrEqual(frameHeaderBytes)
    }
  })

  it('survives any bytes: frames, a coded error, and never more held than one frame', () => {
    const soup = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      frame.map((one) => wire([one])),
      fc.tuple(frame, fc.nat(), fc.nat(255)).map(([one, at, value]) => {
        const bytes = wire([one])
        bytes[at % bytes.length] = value
        return bytes
      }),
    )
    fc.assert(
      fc.property(fc.array(soup, { maxLength: 10 }), (pieces) => {
        const { decoder } = collect()
        try {
          for (const piece of pieces) decoder.push(piece)
        } catch (error) {
          expect(error).toBeInstanceOf(TunnelError)
          expect((error as TunnelError).code).toBe('bad-frame')
        }
        expect(decoder.heldBytes).toBeLessThanOrEqual(frameHeaderBytes + Math.max(maxDataBytes, maxDatagramBytes))
      }),
    )
  })
})
