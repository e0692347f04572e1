import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { codeOf, InterceptError, messageOf } from '../../../../src/errors.ts'
import { endInhabitants, networkNamespaceOf } from '../inhabitants.ts'
import { isLoopback } from '../loopback.ts'
import { type FromKeeper, graceMs, type ToKeeper, type TwinCommand, type TwinSetup, Verdict } from '../protocol.ts'
import type { IpPacket } from './ip-packet.ts'
import { type Libc, loadLibc } from './libc.ts'
import { accepts, dialAddresses, type ListeningPort } from './listening-ports.ts'
import { Mounts } from './mounts.ts'
import { setUpIPv4, setUpIPv6 } from './network.ts'
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
  /** Of our own listeners. */
  readonly #ports = new Set<number>()
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

  async #setUp({ mounts, scratch, addresses, firewalls }: TwinSetup): Promise<void> {
    try {
      const libc = await loadLibc()
      this.#diagnostics = libc.socketDiagnostics()
      const { fd, port } = libc.transparentListener('ipv4')
      const device = await setUpIPv4({ address: addresses.ipv4, firewalls, port })
      const ipv6 = await listenerOfIPv6(libc, { address: addresses.ipv6, device, firewalls })
      this.#queue = new PacketQueue(libc.packetQueueSocket(), (id, packet) => this.#ask(id, packet))
      await this.#queue.start()
      new Mounts(libc, scratch).add(mounts)
      const listeners = [{ fd, port }, ...(ipv6 instanceof Error ? [] : [ipv6])]
      for (const listener of listeners) await this.#handOver(listener)
      this.#send({ kind: 'ready', withoutIPv6: ipv6 instanceof Error ? ipv6.message : undefined })
    } catch (error) {
      this.#send({ kind: 'failed', code: codeOf(error) ?? 'failed', message: messageOf(error) })
    }
  }

  /** The command line accepts what comes to a listener. */
  async #handOver({ fd, port }: { readonly fd: number; readonly port: number }): Promise<void> {
    this.#ports.add(port)
    const server = createServer({ pauseOnConnect: true }).listen({ fd })
    await once(server, 'listening')
    this.#send({ kind: 'listener' }, server, () => server.close())
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
    if (isLoopback(to.address) && accepts(this.#listeners(), to.address, to.port)) {
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
    const ports = [...new Set(this.#listeners().map(({ port }) => port))].filter((port) => !this.#ports.has(port))
    ports.sort((a, b) => a - b)
    const listening = ports.join()
    if (listening === this.#listening) return
    this.#listening = listening
    this.#send({ kind: 'listening', ports })
  }
}

/** The listener of IPv6, with the network for it; or what is in its way, and then nothing of it is there. */
async function listenerOfIPv6(
  libc: Libc,
  setup: Omit<Parameters<typeof setUpIPv6>[0], 'port'>,
): Promise<ReturnType<Libc['transparentListener']> | InterceptError> {
  let fd: number | undefined
  try {
    const listener = libc.transparentListener('ipv6')
    fd = listener.fd
    await setUpIPv6({ ...setup, port: listener.port })
    return listener
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    if (error instanceof InterceptError) return error
    throw error
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
