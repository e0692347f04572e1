/** Byte `offset` of the stream with this seed: two streams differ, and a shifted stream differs from itself. */
export const byteAt = (seed: number, offset: number): number => (seed * 131 + offset * 7 + (offset >>> 8) * 13) & 0xff

export function bytesFrom(seed: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let index = 0; index < length; index += 1) bytes[index] = byteAt(seed, offset + index)
  return bytes
}

/** Cuts `whole` at the given places (any numbers). */
export function split(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b)
  const pieces: Buffer[] = []
  let at = 0
  for (const place of [...places, whole.length]) {
    pieces.push(whole.subarray(at, place))
    at = place
  }
  return pieces
}

/** One turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await turn()
}
