/** A response as the wire had it. */
export interface WireResponse {
  readonly head: string
  readonly body: Buffer
}

/**
 * The complete HTTP/1.1 responses in `bytes` to requests with these methods. Knows Content-Length and chunked; throws at
 * anything else.
 */
export function responsesIn(bytes: Buffer, methods: readonly string[]): WireResponse[] {
  const responses: WireResponse[] = []
  let rest = bytes
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return responses
    const head = rest.toString('latin1', 0, end)
    if (!head.startsWith('HTTP/1.1 ')) throw new Error(`not a response: ${head.slice(0, 40)}`)
    const isHead = methods[responses.length] === 'HEAD'
    const body = isHead ? { bytes: Buffer.alloc(0), length: 0 } : bodyIn(head, rest.subarray(end + 4))
    if (!body) return responses
    responses.push({ head, body: body.bytes })
    rest = rest.subarray(end + 4 + body.length)
  }
}

function bodyIn(head: string, bytes: Buffer): { bytes: Buffer; length: number } | undefined {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) {
    const wanted = Number(length)
    return bytes.length < wanted ? undefined : { bytes: bytes.subarray(0, wanted), length: wanted }
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error(`no framing: ${head}`)
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    const next = line + 2 + size + 2
    if (bytes.length < next) return undefined
    if (size === 0) return { bytes: Buffer.concat(chunks), length: next }
    chunks.push(bytes.subarray(line + 2, line + 2 + size))
    at = next
  }
}
