import type { Socket } from 'node:net'

export interface SocketListeners {
  data(chunk: Buffer): void
  end(): void
  /** What was written has left; also after our own end. */
  drain(): void
  error(error: Error): void
  /** Last of all. True: by an error. */
  close(hadError: boolean): void
}

/** Listens to a socket. @returns what takes all of it off again, so that somebody else can go on with the socket. */
export function listenTo(socket: Socket, listeners: SocketListeners): () => void {
  const { data, end, drain, error, close } = listeners
  // A socket that is ended says 'finish' instead of 'drain'.
  socket.on('data', data).on('end', end).on('drain', drain).on('finish', drain).on('error', error).on('close', close)
  return () => {
    socket.pause()
    socket.off('data', data).off('end', end).off('drain', drain).off('finish', drain)
    socket.off('error', error).off('close', close)
  }
}
