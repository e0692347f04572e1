import type { IncomingMessage } from 'node:http'
import { parse } from 'yaml'
import { ApiError } from '../api-error.ts'
import { type Dict, isDict } from '../json.ts'
import { decodeProtobuf } from '../protobuf/decode.ts'

const maxBytes = 3 * 1024 * 1024

/** The request's body, decoded from JSON, YAML or protobuf; undefined where it is empty. Throws ApiError. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) {
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBytes}`)
    }
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  const type = request.headers['content-type'] ?? 'application/json'
  if (body.length > 0 && type.includes('protobuf')) return decodeProtobuf(body)
  const text = body.toString()
  if (text.trim() === '') return undefined
  try {
    return type.includes('yaml') && !/^\s*[{[]/.test(text) ? parse(text) : JSON.parse(text)
  } catch (cause) {
    throw ApiError.badRequest(`the object provided is unrecognized (must be of type JSON or YAML): ${String(cause)}`)
  }
}

export async function readObject(request: IncomingMessage): Promise<Dict> {
  const body = await readBody(request)
  if (!isDict(body)) throw ApiError.badRequest('the request body is no object')
  return body
}
