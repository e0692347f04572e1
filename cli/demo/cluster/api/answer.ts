import type { ServerResponse } from 'node:http'
import { ApiError } from '../api-error.ts'

/** Sends a JSON body, indented only where a person asks (`?pretty`), which keeps big lists cheap. */
export function answer(response: ServerResponse, code: number, body: unknown, type = 'application/json'): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-cache, private',
  })
  response.end(text)
}

export function answerText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** An ApiError becomes its Status; anything else is a bug of ours and a 500. */
export function answerError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const known = error instanceof ApiError ? error : internal(error)
  const retry = known.details?.retryAfterSeconds
  if (retry !== undefined) response.setHeader('retry-after', String(retry))
  answer(response, known.code, known.status())
}

function internal(error: unknown): ApiError {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new ApiError(500, 'InternalError', `Internal error occurred: ${text}`)
}
