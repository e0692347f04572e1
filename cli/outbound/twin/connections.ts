import type { Server, Socket } from 'node:net'
import { codeOf, messageOf } from '../../../src/errors.ts'
import { resetSocket } from '../../../src/reset-socket.ts'
import { openedStream, pipeSocket, type TunnelStream } from '../../../src/tunnel/index.ts'
import { dialLocal } from '../../agent/local-process.ts'
import { connectionWaitMs, waitForTunnel } from '../wait-for-tunnel.ts'
import { joinPaused } from './join-paused.ts'
import type { Endpoint } from './keeper/ip-packet.ts'
import { isLoopback } from './loopback.ts'
import { Verdict } from './protocol.ts'
import { verdictOf } from './verdict-of.ts'

/** How long a connection that was let in may take to arrive, in milliseconds: its maker may have given it up. */
const arrivalMs = 5_000

export interface ConnectionParts {
  /** A stream to there. @throws TunnelError 'tunnel-down' */
  dial(to: Endpoint): TunnelStream
  /** Resolves when `dial` will not throw for want of a tunnel; rejects when `signal` aborts. */
  up(signal: AbortSignal): Promise<void>
  /** Ports of this machine's loopback that only lead back into the twin. */
  isMirrored(port: number): boolean
  onFailure(to: Endpoint, code: string, reason: string): void
}

/** TCP connections that leave the twin: each is let in when its other end has accepted, and refused as that refuses. */
export class Connections {
  readonly #parts: ConnectionParts
  readonly #over = new AbortController()
  /** What is to be joined with the connection when it arrives, by its two ends. */
  readonly #expected = new Map<string, { join(socket: Socket): void; giveUp(): void; timer: NodeJS.Timeout }>()
  /** Those that have arrived, by their two ends. */
  readonly #open = new Map<string, Socket>()
  readonly #listeners: Server[] = []

  constructor(parts: ConnectionParts) {
    this.#parts = parts
  }

  /** @param listener where the twin's connections of a family arrive, with both of their addresses as they are */
  listen(listener: Server): void {
    this.#listeners.push(listener)
    Object.assign(listener, { allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
    listener.on('connection', (socket: Socket) => this.#arrived(socket))
  }

  /** Decides about a new connection. */
  async decide(from: Endpoint, to: Endpoint): Promise<Verdict> {
    const key = keyOf(from, to)
    // Its packet came again while the verdict about it was on its way: what there is of it is the kernel's to look up.
    if (this.#expected.has(key) || this.#open.has(key)) return Verdict.Take
    try {
      if (isLoopback(to.address)) await this.#expectLocal(key, to)
      else await this.#expectRemote(key, to)
      return Verdict.Take
    } catch (error) {
      if (!this.#over.signal.aborted) this.#parts.onFailure(to, codeOf(error) ?? 'unreachable', messageOf(error))
      return verdictOf(error)
    }
  }

  close(): void {
    this.#over.abort()
    for (const listener of this.#listeners) listener.close()
    for (const { giveUp, timer } of this.#expected.values()) {
      clearTimeout(timer)
      giveUp()
    }
    this.#expected.clear()
    for (const socket of this.#open.values()) resetSocket(socket)
  }

  /** Nothing in the twin listens there: what listens on this machine is meant. */
  async #expectLocal(key: string, { port }: Endpoint): Promise<void> {
    if (this.#parts.isMirrored(port)) {
      throw Object.assign(new Error(`nothing listens on localhost:${port}`), { code: 'ECONNREFUSED' })
    }
    const local = await dialLocal(port, this.#over.signal)
    local.pause()
    this.#expect(
      key,
      (socket) => joinPaused(socket, local),
      () => resetSocket(local),
    )
  }

  async #expectRemote(key: string, to: Endpoint): Promise<void> {
    await waitForTunnel(this.#parts, { waitMs: connectionWaitMs, signal: this.#over.signal })
    const stream = this.#parts.dial(to)
    const replay = await openedStream(stream)
    const join = (socket: Socket): void => {
      pipeSocket(stream, socket, { replay })
      socket.resume()
    }
    this.#expect(key, join, () => stream.reset('not-wanted'))
  }

  #expect(key: string, join: (socket: Socket) => void, giveUp: () => void): void {
    const timer = setTimeout(() => {
      this.#expected.delete(key)
      giveUp()
    }, arrivalMs)
    this.#expected.set(key, { join, giveUp, timer })
  }

  #arrived(socket: Socket): void {
    const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket
    const key = keyOf({ address: remoteAddress, port: remotePort }, { address: localAddress, port: localPort })
    const expected = this.#expected.get(key)
    socket.on('error', () => undefined)
    if (!expected) return void resetSocket(socket)
    clearTimeout(expected.timer)
    this.#expected.delete(key)
    this.#open.set(key, socket)
    socket.once('close', () => {
      if (this.#open.get(key) === socket) this.#open.delete(key)
    })
    expected.join(socket)
  }
}

const keyOf = (from: Endpoint, to: Endpoint): string => `${from.address}:${from.port} ${to.address}:${to.port}`
