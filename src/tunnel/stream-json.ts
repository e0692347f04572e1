import { ProtocolError } from './error.ts'
import type { StreamHeader } from './types.ts'

export interface GoAway {
  /** drain: no new streams, the open ones end by themselves. now: everything is over. */
  readonly how: 'drain' | 'now'
  readonly reason: string
}

/** Throws ProtocolError 'bad-frame' where the payload is not a JSON object. */
function objectOf(payload: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(payload.toString('utf8'))
  } catch (cause) {
    throw new ProtocolError('bad-frame', 'the peer sent a frame whose payload is not JSON', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('bad-frame', 'the peer sent a frame whose payload is not a JSON object')
  }
  return value as Record<string, unknown>
}

const text = (value: unknown, otherwise: string) => (typeof value === 'string' ? value : otherwise)

export const decodeHeader = (payload: Buffer): StreamHeader => objectOf(payload)

export function decodeRefusal(payload: Buffer): { code: string; message: string } {
  const { code, message } = objectOf(payload)
  return { code: text(code, 'refused'), message: text(message, 'refused') }
}

export function decodeGoAway(payload: Buffer): GoAway {
  const { how, reason } = objectOf(payload)
  if (how !== 'drain' && how !== 'now') throw new ProtocolError('bad-frame', 'the peer sent a GOAWAY of unknown kind')
  return { how, reason: text(reason, 'no reason given') }
}
