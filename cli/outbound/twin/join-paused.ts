import type { Socket } from 'node:net'
import { splice } from '../../../src/splice.ts'

/** Joins two sockets that were kept from flowing until both were there. */
export function joinPaused(a: Socket, b: Socket): void {
  splice(a, b)
  a.resume()
  b.resume()
}
