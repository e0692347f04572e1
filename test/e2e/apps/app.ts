// A server of many protocols that says who answers. Runs in a pod as the origin and on the laptop as the local process.

import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { startGrpc } from './grpc.ts'

const who = process.env.WHO ?? process.env.POD_NAME ?? 'unknown'
const delayMs = Number(process.env.DELAY_MS ?? 0)
const host = process.env.HOST || undefined
const port = (name: string, usual: number): number => Number(process.env[`PORT_${name.toUpperCase()}`] ?? usual)

const http = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://app')
  response.setHeader('x-who', who)
  // Who asks: the caller itself, or a proxy pod.
  response.setHeader('x-peer', request.socket.remoteAddress ?? '')
  switch (url.pathname) {
    case '/healthz':
      return void response.end('ok')
    case '/slow':
      return void setTimeout(() => response.end(JSON.stringify({ who })), Number(url.searchParams.get('ms') ?? 100))
    case '/chunked': {
      const lines = Number(url.searchParams.get('lines') ?? 5)
      for (let line = 0; line < lines; line++) response.write(`${who} ${line}\n`)
      return void response.end()
    }
    case '/events': {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
      let count = 0
      const timer = setInterval(() => {
        response.write(`id: ${count}\ndata: ${JSON.stringify({ who, count })}\n\n`)
        count += 1
        if (count >= 5) {
          clearInterval(timer)
          response.end()
        }
      }, 20)
      return
    }
    case '/upload': {
      const hash = createHash('sha256')
      let bytes = 0
      request.on('data', (chunk: Buffer) => {
        hash.update(chunk)
        bytes += chunk.length
      })
      request.on('end', () => response.end(JSON.stringify({ who, bytes, sha256: hash.digest('hex') })))
      return
    }
    case '/download': {
      void download(response, Number(url.searchParams.get('bytes') ?? 1_000_000))
      return
    }
    case '/copied': {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        console.log(`seen ${request.method} ${request.url} ${Buffer.concat(chunks)}`)
        response.end(JSON.stringify({ who }))
      })
      return
    }
    case '/env':
      return void response.end(JSON.stringify(process.env))
    case '/headers':
      return void response.end(JSON.stringify({ who, rawHeaders: request.rawHeaders }))
    case '/via': {
      // Passes on what OpenTelemetry would, and nothing else.
      const [next, ...rest] = url.searchParams.getAll('next')
      if (next === undefined) return void response.end(JSON.stringify({ chain: [who] }))
      const onwards = new URL(`/via`, next)
      for (const one of rest) onwards.searchParams.append('next', one)
      const { baggage } = request.headers
      const headers = typeof baggage === 'string' ? { baggage } : {}
      fetch(onwards, { headers }).then(
        async (answer) => {
          const { chain } = (await answer.json()) as { chain: string[] }
          response.end(JSON.stringify({ chain: [who, ...chain] }))
        },
        (error: unknown) => response.writeHead(502).end(JSON.stringify({ chain: [who, String(error)] })),
      )
      return
    }
    case '/login':
      response.setHeader('set-cookie', [`session=${who}; Path=/; HttpOnly; Domain=${request.headers.host}; Secure`])
      return void response.writeHead(302, { location: `http://${request.headers.host}/page` }).end()
    case '/page':
      response.setHeader('content-type', 'text/html; charset=utf-8')
      return void response.end(pageHtml(who, request.headers.cookie ?? ''))
    default:
      response.setHeader('content-type', 'application/json')
      if (delayMs > 0) return void setTimeout(() => response.end(JSON.stringify({ who })), delayMs)
      return void response.end(JSON.stringify({ who, path: url.pathname }))
  }
})
http.keepAliveTimeout = 60_000

/** A page that asks for everything a page can ask for, and writes the answers into itself. */
const pageHtml = (name: string, cookie: string): string => `<!doctype html>
<title>${name}</title>
<ul><li id="cookie">${cookie}</li><li id="fetch"></li><li id="socket"></li><li id="events"></li></ul>
<script type="module">
  const show = (id, text) => { document.getElementById(id).textContent = text }
  fetch('/orders', { method: 'POST', body: '{}' }).then(async (answer) => show('fetch', (await answer.json()).who))
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws')
  socket.onmessage = ({ data }) => show('socket', data)
  const events = new EventSource('/events')
  events.onmessage = ({ data }) => { show('events', JSON.parse(data).who); events.close() }
</script>`

/** A reproducible pattern; the trailer tells its checksum. */
async function download(response: import('node:http').ServerResponse, bytes: number): Promise<void> {
  const block = Buffer.alloc(1 << 20)
  for (let at = 0; at < block.length; at++) block[at] = (at * 31 + (at >> 8)) & 0xff
  const hash = createHash('sha256')
  response.writeHead(200, { 'content-type': 'application/octet-stream', trailer: 'x-sha256', 'x-who': who })
  for (let left = bytes; left > 0; ) {
    const chunk = left >= block.length ? block : block.subarray(0, left)
    hash.update(chunk)
    left -= chunk.length
    if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve))
    if (response.destroyed) return
  }
  response.addTrailers({ 'x-sha256': hash.digest('hex') })
  response.end()
}

const sockets = new WebSocketServer({ server: http, path: '/ws' })
sockets.on('connection', (socket) => {
  socket.send(`hello from ${who}`)
  socket.on('message', (message, isBinary) => socket.send(isBinary ? message : `${who}: ${String(message)}`))
})

/** Line protocol in which the server speaks first; `echo` half-closes after the client did, `reset` resets. */
const tcp = createTcpServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => socket.destroy())
  socket.write(`220 ${who} ready\n`)
  let text = ''
  let bytes = 0
  let sink = false
  socket.on('data', (chunk: Buffer) => {
    if (sink) {
      bytes += chunk.length
      return
    }
    text += chunk.toString('latin1')
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      if (line === 'sink') {
        sink = true
        bytes += text.length
        text = ''
      } else if (!answer(socket, line)) return
    }
  })
  socket.on('end', () => socket.end(sink ? `sunk ${bytes} ${who}\n` : `bye ${who}\n`))
})

function answer(socket: Socket, line: string): boolean {
  if (line === 'reset') {
    socket.resetAndDestroy()
    return false
  }
  if (line === 'close-mine') {
    socket.end(`closing ${who}\n`)
    return true
  }
  socket.write(`${who}: ${line}\n`)
  return true
}

/** The same over TLS, HTTP/1.1 and HTTP/2, where it is given a certificate. */
const { TLS_CERT: cert, TLS_KEY: key } = process.env
const https = cert && key ? createSecureServer({ cert, key, allowHTTP1: true }) : undefined
https?.on('request', (request, response) => http.emit('request', request, response))

const udp = createSocket('udp4')
udp.on('message', (datagram, from) => udp.send(`${who}: ${datagram.toString()}`, from.port, from.address))

await Promise.all([
  new Promise<void>((resolve) => http.listen(port('http', 8080), host, resolve)),
  new Promise<void>((resolve) => tcp.listen(port('tcp', 9000), host, resolve)),
  new Promise<void>((resolve) => udp.bind(port('udp', 9001), host, () => resolve())),
  new Promise<void>((resolve) => (https ? https.listen(port('https', 9443), host, resolve) : resolve())),
  startGrpc(who, host ?? '0.0.0.0', port('grpc', 9002)),
])
console.log(`${who} listens`)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    // As a well-behaved server: finish what is asked, then go.
    http.close(() => process.exit(0))
    http.closeIdleConnections()
    setTimeout(() => process.exit(0), 2_000).unref()
  })
}
