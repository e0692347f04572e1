import type { ChildProcess } from 'node:child_process'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { codeOf, messageOf } from '../../../../src/errors.ts'
import { endInhabitants, networkNamespaceOf } from '../inhabitants.ts'
import { type FromKeeper, graceMs, type ToKeeper, type TwinCommand, type TwinSetup, Verdict } from '../protocol.ts'
import type { IpPacket } from './ip-packet.ts'
import { loadLibc } from './libc.ts'
import { accepts, dialAddresses, type ListeningPort } from './listening-ports.ts'
import { Mounts } from './mounts.ts'
import { setUpNetwork } from './network.ts'
import { PacketQueue } from './packet-queue.ts'
import { startProgram, whyNotStarted } from './program.ts'
import { Replies } from './replies.ts'
import { listeningSockets } from './socket-diagnostics.ts'

/** How often what listens is looked up, in milliseconds: Linux tells nobody. */
const listeningMs = 250

/** Sends to the command line; a socket or server goes with it. */
export type Send = (message: FromKeeper, handle?: Socket | Server, sent?: () => void) => void

/** The half of a twin that is in it: asks the command line what becomes of each connection and datagram. */
export class Keeper {
  readonly #send: Send
  readonly #replies = new Replies()
  #queue: PacketQueue | undefined
  #listenerPort = 0
  /** File descriptor of the socket diagnostics. */
  #diagnostics = -1
  /** Connections that wait, by both ends, and the packet that waits for each: a SYN may come again. */
  readonly #connections = new Map<string, { packet: number }>()
  /** Which connection a question was about, by the packet that it named. */
  readonly #keys = new Map<number, string>()
  #program: ChildProcess | undefined
  #listening = ''

  constructor(send: Send) {
    this.#send = send
  }

  async receive(message: ToKeeper): Promise<void> {
    switch (message.kind) {
      case 'set-up':
        return this.#setUp(message)
      case 'run':
        return this.#run(message)
      case 'signal':
        this.#program?.kill(message.signal)
        return
      case 'verdict':
        return this.#decide(message.packet, message.verdict)
      case 'datagram':
        // One that cannot be delivered is lost, as datagrams are: the program itself has the port that it came from.
        return this.#replies.send(message.from, message.to, message.payload).catch(() => undefined)
      case 'dial':
        return this.#dial(message.id, message.port)
      case 'end':
        return this.end()
      default:
        message satisfies never
    }
  }

  /** Ends what runs in the twin, and this process: a thread of it waits for packets, so that it cannot end by itself. */
  async end(): Promise<void> {
    const own = networkNamespaceOf(process.pid)
    if (own) await endInhabitants(own, graceMs)
    process.kill(process.pid, 'SIGKILL')
  }

  async #setUp({ mounts, scratch, ...network }: TwinSetup): Promise<void> {
    try {
      const libc = await loadLibc()
      const { fd, port } = libc.transparentListener()
      this.#listenerPort = port
      this.#diagnostics = libc.socketDiagnostics()
      await setUpNetwork(network, port)
      this.#queue = new PacketQueue(libc.packetQueueSocket(), (id, packet) => this.#ask(id, packet))
      await this.#queue.start()
      new Mounts(libc, scratch).add(mounts)
      const server = createServer({ pauseOnConnect: true })
      server.listen({ fd }, () => this.#send({ kind: 'ready' }, server, () => server.close()))
    } catch (error) {
      this.#send({ kind: 'failed', code: codeOf(error) ?? 'failed', message: messageOf(error) })
    }
  }

  #ask(packet: number, { protocol, from, to, payload }: IpPacket): void {
    if (protocol === 'udp') {
      this.#send({ kind: 'datagram', packet, from, to, payload })
      return
    }
    const key = `${from.address}:${from.port} ${to.address}:${to.port}`
    const waiting = this.#connections.get(key)
    if (waiting) {
      this.#queue?.drop(waiting.packet)
      waiting.packet = packet
      return
    }
    this.#connections.set(key, { packet })
    this.#keys.set(packet, key)
    // What something here listens for is nobody else's affair.
    if (to.address.startsWith('127.0.') && accepts(this.#listeners(), to.address, to.port)) {
      this.#decide(packet, Verdict.Leave)
    } else this.#send({ kind: 'connection', packet, from, to })
  }

  #listeners(): ListeningPort[] {
    return listeningSockets(this.#diagnostics)
  }

  #decide(packet: number, verdict: Verdict): void {
    const key = this.#keys.get(packet)
    const waiting = key === undefined ? undefined : this.#connections.get(key)
    if (key !== undefined) this.#connections.delete(key)
    this.#keys.delete(packet)
    const id = waiting?.packet ?? packet
    if (verdict === Verdict.Drop) this.#queue?.drop(id)
    else this.#queue?.pass(id, verdict)
  }

  async #dial(id: number, port: number): Promise<void> {
    const hosts = dialAddresses(this.#listeners(), port)
    let failure: unknown
    for (const host of hosts) {
      try {
        const socket = await dial(host, port)
        this.#send({ kind: 'dialled', id }, socket)
        return
      } catch (error) {
        failure = error
      }
    }
    const code = codeOf(failure) ?? 'ECONNREFUSED'
    this.#send({
      kind: 'dialled',
      id,
      code,
      message: failure ? messageOf(failure) : `connect ${code} 127.0.0.1:${port}`,
    })
  }

  #run(command: TwinCommand): void {
    const why = whyNotStarted(command)
    if (why !== undefined) return void this.#send({ kind: 'not-started', message: why })
    const program = startProgram(command)
    this.#program = program
    program.once('error', (error) => this.#send({ kind: 'not-started', message: messageOf(error) }))
    program.once('exit', (code, signal) => this.#send({ kind: 'ended', code, signal }))
    setInterval(() => this.#look(), listeningMs)
  }

  #look(): void {
    const ports = [...new Set(this.#listeners().map(({ port }) => port))].filter((port) => port !== this.#listenerPort)
    ports.sort((a, b) => a - b)
    const listening = ports.join()
    if (listening === this.#listening) return
    this.#listening = listening
    this.#send({ kind: 'listening', ports })
  }
}

function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true })
    // What the program says first is for whoever gets the socket.
    socket.pause()
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}
