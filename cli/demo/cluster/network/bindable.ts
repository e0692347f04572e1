import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Whether a TCP port of the address can be bound. Not so where a process of this machine listens on the port at all
 * addresses, or where a port below 1024 needs rights.
 */
export async function isBindable(host: string, port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') return false
    throw error
  }
  await once(server.close(), 'close')
  return true
}
