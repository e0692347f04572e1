import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { codeOf, InterceptError, messageOf } from '../../src/errors.ts'
import { httpProxy } from './http-connect.ts'
import { ProxyDial, type ProxyParts } from './proxy-dial.ts'
import { proxyReason } from './proxy-reason.ts'
import { Socks5Reader, Socks5Reply, socks5Reply, socks5Version } from './socks5.ts'

/** Only this machine: whoever reaches the port reaches the cluster. */
const loopback = '127.0.0.1'

/** A SOCKS5 and an HTTP proxy on one port of this machine; a connection's first byte says which it is for. */
export class ProxyServer {
  readonly #over = new AbortController()
  readonly #dial: ProxyDial
  readonly #http: ReturnType<typeof httpProxy>
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(parts: ProxyParts) {
    this.#dial = new ProxyDial(parts, this.#over.signal)
    this.#http = httpProxy(this.#dial)
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#begin(socket))
  }

  /** Connections into the cluster that are open now. */
  get open(): number {
    return this.#dial.open
  }

  /** @param port 0 for any free one @returns its address @throws InterceptError 'port-in-use', 'cannot-listen' */
  async listen(port: number): Promise<{ host: string; port: number }> {
    this.#server.listen({ host: loopback, port })
    await once(this.#server, 'listening').catch((cause: unknown) => {
      const inUse = codeOf(cause) === 'EADDRINUSE'
      throw new InterceptError(
        inUse ? 'port-in-use' : 'cannot-listen',
        `cannot listen on ${loopback}:${port}: ${messageOf(cause)}`,
        { cause, fix: 'leave out --listen for any free port' },
      )
    })
    return { host: loopback, port: (this.#server.address() as AddressInfo).port }
  }

  close(): void {
    this.#over.abort()
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #begin(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    const gone = (): void => void socket.destroy()
    socket.once('end', gone)
    socket.once('data', (chunk) => {
      socket.pause()
      socket.off('end', gone)
      if (chunk[0] === socks5Version) {
        this.#socks5(socket, chunk)
        return
      }
      socket.unshift(chunk)
      this.#http.emit('connection', socket)
      socket.resume()
    })
  }

  #socks5(socket: Socket, first: Buffer): void {
    const reader = new Socks5Reader()
    const gone = (): void => void socket.destroy()
    const read = (chunk: Buffer): void => {
      for (const event of reader.read(chunk)) {
        if (event.kind === 'greeted') {
          socket.write(event.reply)
          continue
        }
        socket.pause()
        socket.off('data', read)
        socket.off('end', gone)
        if (event.kind === 'refused') {
          end(socket, event.reply)
          return
        }
        const { host, port, rest } = event
        void this.#dial.join(socket, { host, port }, rest, {
          accepted: () => socket.write(socks5Reply(Socks5Reply.Succeeded)),
          refused: (code) => end(socket, socks5Reply(proxyReason(code).socks5)),
        })
        return
      }
    }
    socket.on('data', read)
    socket.once('end', gone)
    socket.resume()
    read(first)
  }
}

function end(socket: Socket, reply: Buffer): void {
  socket.end(reply)
  // Without reading on, the client's own end would not be seen.
  socket.resume()
}
