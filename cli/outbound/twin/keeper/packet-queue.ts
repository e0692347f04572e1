import { read, write } from 'node:fs'
import { InterceptError } from '../../../../src/errors.ts'
import { type IpPacket, parsePacket } from './ip-packet.ts'
import {
  bindMessage,
  kernelVerdict,
  parseMessages,
  type QueuedPacket,
  settingsMessage,
  verdictMessage,
} from './queue-messages.ts'
import { queueNumber } from './rules.ts'

/** Packets that may wait for a verdict, connections and datagrams together; the kernel drops more. */
const mostWaiting = 4_096
/** A packet of the biggest size, and what netlink puts around it. */
const readBytes = 65_535 + 1_024

/** The kernel's queue of new connections and datagrams of this network namespace. */
export class PacketQueue {
  readonly #fd: number
  readonly #onPacket: (id: number, packet: IpPacket) => void
  readonly #buffer = Buffer.alloc(readBytes)
  readonly #answers = new Map<number, (errno: number) => void>()

  /** @param fd of a netlink socket, blocking @param onPacket each has to get a verdict; the payload is copied */
  constructor(fd: number, onPacket: (id: number, packet: IpPacket) => void) {
    this.#fd = fd
    this.#onPacket = onPacket
  }

  /** @throws InterceptError 'no-packet-queue' where the kernel has none */
  async start(): Promise<void> {
    this.#read()
    await this.#ask(1, bindMessage(queueNumber, 1))
    await this.#ask(2, settingsMessage(queueNumber, 2, mostWaiting))
  }

  /** Lets a packet go on, with a mark for the rules behind. */
  pass(id: number, mark: number): void {
    this.#write(verdictMessage(queueNumber, id, kernelVerdict.accept, mark))
  }

  drop(id: number): void {
    this.#write(verdictMessage(queueNumber, id, kernelVerdict.drop, 0))
  }

  /** A thread waits in the system's read; nothing else in this process may need all of them. */
  #read(): void {
    read(this.#fd, this.#buffer, 0, readBytes, null, (error, bytes) => {
      if (error && !['EINTR', 'ENOBUFS'].includes(error.code ?? '')) throw error
      for (const message of parseMessages(this.#buffer.subarray(0, bytes ?? 0))) {
        if (message.kind === 'packet') this.#take(message.packet)
        else this.#answers.get(message.sequence)?.(message.errno)
      }
      this.#read()
    })
  }

  #take({ id, bytes }: QueuedPacket): void {
    const packet = parsePacket(bytes)
    if (packet) this.#onPacket(id, { ...packet, payload: Buffer.from(packet.payload) })
    else this.drop(id)
  }

  async #ask(sequence: number, message: Buffer): Promise<void> {
    const errno = await new Promise<number>((resolve) => {
      this.#answers.set(sequence, resolve)
      this.#write(message)
    })
    this.#answers.delete(sequence)
    if (errno === 0) return
    throw new InterceptError('no-packet-queue', `the kernel gives no packet queue (errno ${errno})`)
  }

  #write(message: Buffer): void {
    write(this.#fd, message, (error) => {
      // The packet is gone by itself, with its namespace or its queue.
      if (error && error.code !== 'ENOENT') throw error
    })
  }
}
