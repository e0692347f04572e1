import { connect } from 'node:net'

const warmUpMs = 500
const block = Buffer.alloc(256 * 1_024, 0x62)

/** Megabytes (10^6) a second of one connection, after a warm-up. */
export function throughput(port: number, direction: 'up' | 'down', seconds: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  return new Promise((resolve, reject) => {
    let bytes = 0
    let since = 0
    let from = 0
    socket.on('error', reject)
    const pour = () => {
      while (socket.write(block));
    }
    socket.on('connect', () => {
      socket.write(direction === 'down' ? 'D\n' : 'U\n')
      if (direction === 'up') pour()
    })
    socket.on('drain', () => direction === 'up' && pour())
    socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    const count = () => (direction === 'down' ? bytes : socket.bytesWritten - socket.writableLength)
    setTimeout(() => {
      since = performance.now()
      from = count()
    }, warmUpMs)
    setTimeout(
      () => {
        const figure = (count() - from) / 1_000 / (performance.now() - since)
        socket.removeAllListeners()
        socket.on('error', () => socket.destroy())
        socket.on('close', () => resolve(figure))
        socket.resetAndDestroy()
      },
      warmUpMs + seconds * 1_000,
    )
  })
}
