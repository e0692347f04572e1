/** Distinguished Encoding Rules (X.690), as far as an X.509 certificate needs them. */

function element(tag: number, content: Buffer): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), content])
}

export function sequence(...items: Buffer[]): Buffer {
  return element(0x30, Buffer.concat(items))
}

export function set(...items: Buffer[]): Buffer {
  return element(0x31, Buffer.concat(items))
}

/** Positive; the first bit of `bytes` is not set. */
export function integer(bytes: Buffer): Buffer {
  return element(0x02, bytes)
}

export function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.from([value ? 0xff : 0]))
}

export function bitString(bytes: Buffer, unusedBits: number): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([unusedBits]), bytes]))
}

export function octetString(bytes: Buffer): Buffer {
  return element(0x04, bytes)
}

export function utf8(text: string): Buffer {
  return element(0x0c, Buffer.from(text))
}

/** For years before 2050. */
export function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)
  return element(0x17, Buffer.from(`${digits}Z`))
}

export function objectId([first = 0, second = 0, ...rest]: readonly number[]): Buffer {
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return element(0x06, Buffer.from(bytes))
}

/** [tag] EXPLICIT. */
export function context(tag: number, content: Buffer): Buffer {
  return element(0xa0 | tag, content)
}

/** [tag] IMPLICIT of a primitive type. */
export function contextPrimitive(tag: number, content: Buffer): Buffer {
  return element(0x80 | tag, content)
}
