import { createServer, type Server, type Socket } from 'node:net'

const body = 'Hello from the laptop\n'
const response = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
)
const block = Buffer.alloc(256 * 1_024, 0x61)

function pour(socket: Socket): void {
  while (!socket.destroyed && socket.write(block));
  socket.once('drain', () => pour(socket))
}

/**
 * Answers HTTP requests with a small fixed response, `D\n` with bytes without end, `U\n` by reading without end. As
 * cheap as Node allows, so that what lies in front of it shows.
 */
export function serveLoad(): Server {
  return createServer({ noDelay: true }, (socket) => {
    let mode = ''
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      if (mode === '') {
        mode = String.fromCharCode(chunk[0] ?? 0)
        if (mode === 'D') pour(socket)
      }
      if (mode === 'G' && chunk.length >= 4 && chunk.readUInt32BE(chunk.length - 4) === 0x0d0a0d0a)
        socket.write(response)
    })
  })
}
