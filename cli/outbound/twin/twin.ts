import { mkdtemp, rm } from 'node:fs/promises'
import { Server, Socket } from 'node:net'
import { join } from 'node:path'
import type { IPv6Kind } from '../../../src/dns/resolver-settings.ts'
import { codeOf, InterceptError, messageOf } from '../../../src/errors.ts'
import { plainAddress } from '../../../src/ip-address.ts'
import type { TunnelStream } from '../../../src/tunnel/index.ts'
import { exitCodeOf } from '../../agent/child-command.ts'
import { dialLocal } from '../../agent/local-process.ts'
import { Connections } from './connections.ts'
import { Datagrams } from './datagrams.ts'
import type { Endpoint } from './keeper/ip-packet.ts'
import { KeeperProcess } from './keeper-process.ts'
import { PortMirror } from './port-mirror.ts'
import {
  type Firewall,
  type FromKeeper,
  firewalls,
  type ToKeeper,
  type TwinCommand,
  type TwinMount,
} from './protocol.ts'
import { checkTwin, explained } from './why-no-twin.ts'

/**
 * Of the twin's own interface, of ranges that are nowhere in use (RFC 5737, 3849). The unique-local one is of a prefix
 * that was drawn by lot (RFC 4193).
 */
const ownAddress = '192.0.2.1'
const ownIPv6: Readonly<Record<IPv6Kind, string>> = { global: '2001:db8::1', 'unique-local': 'fdff:b03f:9abf::1' }
const dnsPort = 53

export interface TwinParts {
  dialTcp(to: Endpoint): TunnelStream
  dialUdp(to: Endpoint): TunnelStream
  /** DNS over TCP, for who asks the name server like that. */
  dialDns(): TunnelStream
  up(signal: AbortSignal): Promise<void>
  query(message: Buffer): Promise<Buffer>
  readonly nameservers: readonly string[]
  /** What the twin's own address of IPv6 is like; undefined: it has none, and nothing of IPv6 leaves it. */
  readonly ipv6?: IPv6Kind | undefined
  /** A directory that only this user reads, for what the mounts need. */
  readonly scratch: string
  readonly mounts: readonly TwinMount[]
  /** File of the keeper's bundle; default: beside our own. */
  readonly keeper?: string
  /** Default: all, the first that works. */
  readonly firewalls?: readonly Firewall[]
  onFailure(to: Endpoint, code: string, reason: string): void
  /** localhost:PORT of this machine leads to the program, or cannot. */
  onPort(port: number, taken?: { readonly code: string; readonly reason: string }): void
}

/**
 * A network and mount namespace in which a program finds the cluster: every address leads there through the tunnel, names
 * are the pod's, and files lie where they do in the pod. Only localhost is this machine's, both ways.
 */
export class Twin {
  readonly #keeper: KeeperProcess
  readonly #connections: Connections
  readonly #datagrams: Datagrams
  readonly #mirror: PortMirror
  readonly #dials = new Map<number, { resolve(socket: Socket): void; reject(error: Error): void }>()
  readonly #isRoot: boolean
  readonly #room: string
  #withoutIPv6: string | undefined
  #lastDial = 0
  #closed = false

  private constructor(parts: TwinParts, isRoot: boolean, room: string) {
    this.#isRoot = isRoot
    this.#room = room
    this.#keeper = new KeeperProcess(isRoot, (message, handle) => this.#receive(message, handle), parts.keeper)
    this.#mirror = new PortMirror({
      dial: (port) => this.#dial(port),
      onMirrored: (port) => parts.onPort(port),
      onTaken: (port, code, reason) => parts.onPort(port, { code, reason }),
    })
    const nameservers = new Set(parts.nameservers.map(plainAddress))
    const isNameServer = ({ address, port }: Endpoint): boolean => port === dnsPort && nameservers.has(address)
    this.#connections = new Connections({
      dial: (to) => (isNameServer(to) ? parts.dialDns() : parts.dialTcp(to)),
      up: (signal) => parts.up(signal),
      isMirrored: (port) => this.#mirror.isMirrored(port),
      onFailure: parts.onFailure,
    })
    this.#datagrams = new Datagrams({
      dial: (to) => parts.dialUdp(to),
      query: (message) => parts.query(message),
      isNameServer,
      reply: (from, to, payload) => this.#send({ kind: 'datagram', from, to, payload }),
      decide: (packet, verdict) => this.#send({ kind: 'verdict', packet, verdict }),
      onFailure: parts.onFailure,
    })
  }

  /** @throws InterceptError 'no-twin' where this machine cannot have one, with what to type where that helps */
  static async start(parts: TwinParts): Promise<Twin> {
    await checkTwin()
    const isRoot = process.getuid?.() === 0
    const room = await mkdtemp(join(parts.scratch, 'twin-'))
    const twin = new Twin(parts, isRoot, room)
    try {
      await twin.#setUp(parts)
      return twin
    } catch (error) {
      await twin.close()
      throw explained(error, isRoot)
    }
  }

  /** What is in the way of IPv6, where the twin has none and was to have it. */
  get withoutIPv6(): string | undefined {
    return this.#withoutIPv6
  }

  /**
   * Runs a command in it, with our terminal. @returns its exit code
   * @throws InterceptError 'command-not-started', 'twin-ended' where the twin itself ends, and the command with it
   */
  async run(command: Omit<TwinCommand, 'user'>): Promise<number> {
    const ended = this.#keeper.first((message) => {
      if (message.kind === 'ended') return message
      if (message.kind === 'not-started') throw new InterceptError('command-not-started', message.message)
      return undefined
    })
    const user = this.#isRoot ? undefined : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    this.#send({ kind: 'run', ...command, user })
    const { code, signal } = await ended.catch((error: unknown) => {
      if (!isNoTwin(error)) throw error
      const why = `the process that keeps the command's namespaces ended, and the command with it: ${messageOf(error)}`
      throw new InterceptError('twin-ended', why, { cause: error, fix: 'type the command again' })
    })
    return exitCodeOf(code, signal)
  }

  /** Passes a signal on to the command. */
  signal(signal: NodeJS.Signals): void {
    this.#send({ kind: 'signal', signal })
  }

  /** A connection to what listens at that port in the twin, or else on this machine. */
  async dialLocal(port: number, signal?: AbortSignal): Promise<Socket> {
    try {
      return await this.#dial(port)
    } catch (error) {
      if (this.#mirror.isMirrored(port)) throw error
      return dialLocal(port, signal)
    }
  }

  /** Ends what still runs in it, and takes it away. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#mirror.close()
    await this.#keeper.close()
    this.#connections.close()
    this.#datagrams.close()
    for (const { reject } of this.#dials.values()) reject(new InterceptError('no-twin', 'the twin was ended'))
    this.#dials.clear()
    await rm(this.#room, { recursive: true, force: true })
  }

  async #setUp(parts: Pick<TwinParts, 'mounts' | 'firewalls' | 'ipv6'>): Promise<void> {
    const ready = this.#keeper.first((message) => {
      if (message.kind === 'failed') throw new InterceptError(message.code, message.message)
      return message.kind === 'ready' ? message : undefined
    })
    this.#send({
      kind: 'set-up',
      addresses: { ipv4: ownAddress, ipv6: parts.ipv6 && ownIPv6[parts.ipv6] },
      mounts: parts.mounts,
      scratch: this.#room,
      firewalls: parts.firewalls ?? firewalls,
    })
    const { withoutIPv6 } = await ready
    if (parts.ipv6) this.#withoutIPv6 = withoutIPv6
  }

  #send(message: ToKeeper): void {
    this.#keeper.send(message)
  }

  #receive(message: FromKeeper, handle: Server | Socket | undefined): void {
    switch (message.kind) {
      case 'connection':
        void this.#connections.decide(message.from, message.to).then((verdict) => {
          this.#send({ kind: 'verdict', packet: message.packet, verdict })
        })
        return
      case 'datagram':
        // It came through the channel as bytes, not as a Buffer.
        this.#datagrams.take(message.packet, message.from, message.to, Buffer.from(message.payload))
        return
      case 'listening':
        this.#mirror.follow(message.ports)
        return
      case 'dialled':
        this.#dialled(message, handle)
        return
      case 'listener':
        if (handle instanceof Server) this.#connections.listen(handle)
        return
      case 'ready':
      case 'failed':
      case 'not-started':
      case 'ended':
        return
      default:
        message satisfies never
    }
  }

  #dial(port: number): Promise<Socket> {
    this.#lastDial += 1
    const id = this.#lastDial
    return new Promise((resolve, reject) => {
      this.#dials.set(id, { resolve, reject })
      this.#send({ kind: 'dial', id, port })
    })
  }

  #dialled({ id, code, message }: Extract<FromKeeper, { kind: 'dialled' }>, handle: Server | Socket | undefined): void {
    const waiting = this.#dials.get(id)
    this.#dials.delete(id)
    if (!(handle instanceof Socket)) {
      waiting?.reject(new InterceptError(code ?? 'ECONNREFUSED', message ?? 'refused'))
      return
    }
    handle.allowHalfOpen = true
    handle.setNoDelay(true)
    if (waiting) waiting.resolve(handle)
    else handle.destroy()
  }
}

/** True where it was the machine, and not the command, that could not. */
export const isNoTwin = (error: unknown): boolean => codeOf(error) === 'no-twin'
