/** What a connection's first bytes say that it speaks. 'undecided': more are needed. */
export type Protocol = 'http1' | 'http2' | 'other' | 'undecided'

/** RFC 9113, 3.4. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const methods = ['GET ', 'HEAD ', 'POST ', 'PUT ', 'DELETE ', 'PATCH ', 'OPTIONS ', 'TRACE ', 'CONNECT ']
/** First line of another method: looked at so far to find the version at its end. Bytes. */
const maxLine = 8 * 1024

/**
 * HTTP/1 is known by a method of its own at once, any other by the version that ends the request line. A line that
 * begins as a request would, and is wrong later, is HTTP/1 too: it is refused there, not passed on unseen.
 */
export function protocolOf(bytes: Buffer): Protocol {
  const [first] = bytes
  if (first === undefined) return 'undecided'
  if (bytes.subarray(0, preface.length).equals(preface.subarray(0, bytes.length)))
    return bytes.length >= preface.length ? 'http2' : 'undecided'
  // An empty line may come before a request line (RFC 9112, 2.2).
  if (first === 0x0d || first === 0x0a) return 'http1'
  if (first <= 0x20 || first >= 0x7f) return 'other'
  if (methods.some((method) => bytes.toString('latin1', 0, method.length) === method)) return 'http1'
  const end = bytes.indexOf(0x0a)
  if (end < 0 && bytes.length < maxLine) return 'undecided'
  return / HTTP\/\d\.\d\r?\n?$/.test(bytes.toString('latin1', 0, end < 0 ? maxLine : end + 1)) ? 'http1' : 'other'
}

/** True where the bytes may still become a request line of HTTP's own methods. */
export function mayBecomeHttp(bytes: Buffer): boolean {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, preface.length))
  return [...methods, preface.toString('latin1', 0, preface.length)].some((start) => start.startsWith(text))
}
