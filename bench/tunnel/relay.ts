/** A bare TCP relay, as plain as Node makes it: the reference. */
import { connect, createServer } from 'node:net'
import { announce, portOf } from '../support/role.ts'

const upstream = Number(process.argv[2])
const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  const out = connect({ port: upstream, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  socket.on('error', () => out.destroy())
  out.on('error', () => socket.destroy())
  socket.pipe(out)
  out.pipe(socket)
})
server.listen(0, '127.0.0.1', () => announce({ port: portOf(server) }))
