import { once } from 'node:events'
import { connect } from 'node:net'

/** A connected socket. Rejects with the error of Node, after `connectMs` with ETIMEDOUT. */
export async function dial(host, port, connectMs = 20_000) {
  const socket = connect({ host, port, timeout: connectMs })
  socket.on('timeout', () => socket.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })))
  await once(socket, 'connect')
  socket.setTimeout(0)
  return socket
}
