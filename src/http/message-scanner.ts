type State =
  | { readonly at: 'head' }
  | { readonly at: 'body'; left: number }
  | { readonly at: 'chunk-size' }
  | { readonly at: 'chunk'; left: number }
  | { readonly at: 'trailers' }

export interface ScannerEvents {
  /** A request: method and target. A final response: status and ''. */
  onHead(first: string, second: string): void
  /** After this message (for a request: after its answer) the connection ends (RFC 9112, 9.6). */
  onLast?(): void
  /** The message has arrived whole. */
  onComplete?(): void
  /** Of responses: method of the request that the next one answers. */
  methodAnswered?(): string | undefined
}

/** Longest head or chunk-size line that we follow; a longer one makes the connection opaque, it still passes. */
const maxHeldBytes = 64 * 1024
const requestLine = /^([A-Z]{1,16}) (\S+) HTTP\/1\.[01]$/
const statusLine = /^HTTP\/1\.1 (\d{3})(?: |$)/
const empty = Buffer.alloc(0)

/**
 * Finds where the HTTP/1.1 messages (RFC 9112) of one direction begin and end. Follows only what is unambiguous:
 * `scan` returns false for good at the first thing that is not.
 */
export class MessageScanner {
  readonly #kind: 'request' | 'response'
  readonly #events: ScannerEvents
  #state: State = { at: 'head' }
  /** Beginning of a head or line whose end has not arrived. */
  #held: Buffer = empty

  constructor(kind: 'request' | 'response', events: ScannerEvents) {
    this.#kind = kind
    this.#events = events
  }

  /** True where the next byte begins a message. */
  get atBoundary(): boolean {
    return this.#state.at === 'head' && this.#held.length === 0
  }

  scan(chunk: Buffer): boolean {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = empty
    while (rest.length > 0) {
      const state = this.#state
      if (state.at === 'body' || state.at === 'chunk') {
        const taken = Math.min(state.left, rest.length)
        state.left -= taken
        rest = rest.subarray(taken)
        if (state.left > 0) return true
        if (state.at === 'body') this.#complete()
        else this.#state = { at: 'chunk-size' }
        continue
      }
      const end = rest.indexOf(state.at === 'head' ? '\r\n\r\n' : '\r\n')
      if (end < 0) {
        // A copy: the chunk belongs to whoever sends it on.
        this.#held = Buffer.from(rest)
        return rest.length <= maxHeldBytes && (state.at !== 'head' || this.#looksLikeHead(rest))
      }
      if (end > maxHeldBytes) return false
      const text = rest.toString('latin1', 0, end)
      rest = rest.subarray(end + (state.at === 'head' ? 4 : 2))
      if (!this.#line(state.at, text)) return false
    }
    return true
  }

  #line(at: 'head' | 'chunk-size' | 'trailers', text: string): boolean {
    switch (at) {
      case 'head':
        return this.#head(text)
      case 'chunk-size':
        return this.#chunkSize(text)
      case 'trailers':
        if (text === '') this.#complete()
        return true
      default:
        return at satisfies never
    }
  }

  #looksLikeHead(start: Buffer): boolean {
    const text = start.toString('latin1', 0, 17)
    return this.#kind === 'response' ? 'HTTP/1.1 '.startsWith(text.slice(0, 9)) : /^[A-Z]{1,16}( |$)/.test(text)
  }

  #head(text: string): boolean {
    const lengths = valuesOf(text, /\r\ncontent-length:[ \t]*([^\r\n]*)/gi)
    const codings = valuesOf(text, /\r\ntransfer-encoding:[ \t]*([^\r\n]*)/gi)
    if (lengths.length + codings.length > 1 || /\r\nupgrade:/i.test(text)) return false
    const [length] = lengths
    if (length !== undefined && !/^\d{1,15}$/.test(length)) return false
    if (codings.length > 0 && codings[0]?.toLowerCase() !== 'chunked') return false
    const end = text.indexOf('\r\n')
    const firstLine = end < 0 ? text : text.slice(0, end)
    const body = this.#kind === 'request' ? this.#request(firstLine) : this.#response(firstLine)
    if (body === 'unknown') return false
    if (firstLine.endsWith(' HTTP/1.0') || /\r\nconnection:[^\r\n]*\bclose\b/i.test(text)) this.#events.onLast?.()
    if (body === 'interim') return true
    if (body === 'none') this.#complete()
    else if (codings.length > 0) this.#state = { at: 'chunk-size' }
    else if (length !== undefined && Number(length) > 0) this.#state = { at: 'body', left: Number(length) }
    else if (length === undefined && this.#kind === 'response')
      return false // its body ends with the connection
    else this.#complete()
    return true
  }

  #request(line: string): 'as-framed' | 'unknown' {
    const [, method, target] = requestLine.exec(line) ?? []
    if (method === undefined || target === undefined || method === 'CONNECT') return 'unknown'
    this.#events.onHead(method, target)
    return 'as-framed'
  }

  #response(line: string): 'as-framed' | 'none' | 'interim' | 'unknown' {
    const status = Number(statusLine.exec(line)?.[1] ?? 0)
    const method = this.#events.methodAnswered?.()
    if (status < 100 || status === 101 || method === undefined) return 'unknown'
    if (status < 200) return 'interim'
    this.#events.onHead(String(status), '')
    return method === 'HEAD' || status === 204 || status === 304 ? 'none' : 'as-framed'
  }

  #chunkSize(line: string): boolean {
    const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line)?.[1]
    if (size === undefined) return false
    const bytes = Number.parseInt(size, 16)
    this.#state = bytes === 0 ? { at: 'trailers' } : { at: 'chunk', left: bytes + 2 }
    return true
  }

  #complete(): void {
    this.#state = { at: 'head' }
    this.#events.onComplete?.()
  }
}

const valuesOf = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map((match) => match[1]?.trim() ?? '')
