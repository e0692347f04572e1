// Servers at an address of IPv6: HTTP, which answers with both ends of the connection, and an echo of datagrams.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'

const [, , host, port] = process.argv
const http = createServer(({ socket }, response) =>
  response.end(JSON.stringify({ from: socket.remoteAddress, to: socket.localAddress })),
)
const udp = createSocket('udp6')
udp.on('message', (message, from) => udp.send(`${from.address}: ${message}`, from.port, from.address))
await Promise.all([
  once(http.listen(Number(port), host), 'listening'),
  new Promise((resolve) => udp.bind(Number(port), host, resolve)),
])
console.log('listens')
