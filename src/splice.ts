import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { resetSocket } from './reset-socket.ts'

/**
 * Joins two byte streams for good: back-pressure, half-close and reset of one side reach the other. Both must have been
 * opened with allowHalfOpen.
 */
export function splice(a: Duplex, b: Duplex): void {
  carry(a, b)
  carry(b, a)
}

function carry(from: Duplex, to: Duplex): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => to.end())
  from.on('error', () => abort(to))
  from.on('close', () => {
    if (!from.readableEnded) abort(to)
  })
}

/** Closes with a reset where the stream is a TCP socket, so that the peer sees an abort and not an end. */
function abort(stream: Duplex): void {
  if (stream.destroyed) return
  if (stream instanceof Socket && !('encrypted' in stream)) resetSocket(stream)
  else stream.destroy()
}
