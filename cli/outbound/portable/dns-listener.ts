import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { forUdp } from '../../../src/dns/for-udp.ts'
import { framed, MessageReader } from '../../../src/dns/framing.ts'
import { isQuery } from '../../../src/dns/header.ts'
import { bareAnswer, Rcode } from '../../../src/dns/message.ts'
import { codeOf, InterceptError, messageOf } from '../../../src/errors.ts'
import { localHost } from './rewriting.ts'

/** The DNS of the cluster. */
export interface DnsQuery {
  /** @param message a query @returns the answer with the same ID; rejects where none came */
  query(message: Buffer): Promise<Buffer>
}

/** Asked of the kernel, which may give less: a program may look many names up at once. */
const receiveBytes = 1024 * 1024
/** How often another port is tried where TCP has one that UDP has not. */
const mostTries = 20

/** A name server on this machine that asks the cluster's: UDP and TCP (RFC 1035, 4.2) on one port. */
export class DnsListener {
  readonly #dns: DnsQuery
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #datagrams: DatagramSocket | undefined

  constructor(dns: DnsQuery) {
    this.#dns = dns
  }

  /** @returns `127.0.0.1:PORT` @throws InterceptError 'cannot-listen' */
  async listen(): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const server = createServer((socket) => this.#serve(socket)).listen({ host: localHost, port: 0 })
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const datagrams = createSocket({ type: 'udp4', recvBufferSize: receiveBytes }, (message, from) => {
        void this.#answer(message).then((answer) => {
          if (answer && this.#datagrams === datagrams) datagrams.send(forUdp(answer, message), from.port, from.address)
        })
      })
      try {
        datagrams.bind(port, localHost)
        await once(datagrams, 'listening')
      } catch (cause) {
        server.close()
        datagrams.close()
        if (codeOf(cause) === 'EADDRINUSE' && tries < mostTries) continue
        throw new InterceptError('cannot-listen', `cannot listen for DNS: ${messageOf(cause)}`, { cause })
      }
      // What a client does not take is lost, as datagrams are.
      datagrams.on('error', () => undefined)
      this.#server = server
      this.#datagrams = datagrams
      return `${localHost}:${port}`
    }
  }

  close(): void {
    this.#server?.close()
    this.#datagrams?.close()
    this.#datagrams = undefined
    for (const socket of this.#sockets) socket.destroy()
  }

  async #answer(message: Buffer): Promise<Buffer | undefined> {
    if (!isQuery(message)) return undefined
    try {
      return await this.#dns.query(message)
    } catch (error) {
      // Whatever it is, a client understands only this.
      if (error instanceof Error) return bareAnswer(message, Rcode.ServerFailure)
      throw error
    }
  }

  /** Messages with two bytes of length before each; answers in any order (RFC 7766, 6.2.1.1). */
  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    const reader = new MessageReader()
    socket.on('data', (chunk) => {
      for (const message of reader.read(chunk)) {
        // The next chunk may come before the answer.
        void this.#answer(Buffer.from(message)).then((answer) => {
          if (answer && socket.writable) socket.write(framed(answer))
        })
      }
    })
  }
}
