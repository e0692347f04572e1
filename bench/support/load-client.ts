/**
 * Requests over keep-alive connections, where wrk is not installed: `load-client PORT CONNECTIONS SECONDS` prints
 * {rps, p50, p99} (milliseconds).
 */
import { connect } from 'node:net'

const [port = 0, connections = 1, seconds = 1] = process.argv.slice(2).map(Number)
const request = Buffer.from('GET / HTTP/1.1\r\nHost: orders\r\n\r\n')
const endOfBody = 0x6f70_0a // 'op\n', the end of the local process's answer
const times: number[] = []
const started = performance.now()

for (let index = 0; index < connections; index += 1) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let sentAt = 0
  const send = () => {
    sentAt = performance.now()
    socket.write(request)
  }
  socket.on('connect', send)
  socket.on('data', (chunk) => {
    if (chunk.readUIntBE(chunk.length - 3, 3) !== endOfBody) return
    times.push(performance.now() - sentAt)
    send()
  })
}
setTimeout(() => {
  const elapsed = (performance.now() - started) / 1_000
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.floor(times.length * part)] ?? 0
  console.log(JSON.stringify({ rps: times.length / elapsed, p50: at(0.5), p99: at(0.99) }))
  process.exit(0)
}, seconds * 1_000)
