import { STATUS_CODES } from 'node:http'

/** A response of our own: plain text, and the last on its connection. HEAD gets the same without its body. */
export function textResponse(status: number, text: string, method = 'GET'): Buffer {
  const body = Buffer.from(`${text}\n`)
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`
  return method === 'HEAD' ? Buffer.from(head) : Buffer.concat([Buffer.from(head), body])
}
