import type { Socket } from 'node:net'

/**
 * Closes a TCP socket with a reset. While its shutdown (of `end`) is under way libuv refuses to reset, and Node then
 * never closes the handle: the descriptor leaks and the process spins at its exit. So that moment is waited out.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return
  const shuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  if (shuttingDown) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}
