import type { Socket } from 'node:net'
import { dialTcp } from '../../src/dial-tcp.ts'

/** Loopback addresses in the order in which they are tried: a dev server may listen on only one of them. */
const hosts = ['127.0.0.1', '::1']

/** Connects to the local process. Rejects with the error of the first address where none accepts. */
export async function dialLocal(port: number, signal?: AbortSignal): Promise<Socket> {
  let first: unknown
  for (const host of hosts) {
    try {
      return await dialTcp({ host, port }, { signal })
    } catch (error) {
      if (signal?.aborted) throw error
      first ??= error
    }
  }
  throw first
}

/** True where something accepts connections on the port. @param connect to the local process */
export async function isListening(port: number, connect: typeof dialLocal = dialLocal): Promise<boolean> {
  return connect(port).then(
    (socket) => {
      socket.destroy()
      return true
    },
    () => false,
  )
}
