import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { dialTcp } from '../../../src/dial-tcp.ts'
import { framed, MessageReader } from '../../../src/dns/framing.ts'
import { idOf, isAnswer, isTruncated, withId } from '../../../src/dns/header.ts'
import { codeOf, InterceptError, messageOf } from '../../../src/errors.ts'
import type { Address } from '../resolve.ts'

export const nameServerLimits = {
  /** Time for one server to answer, before the next (or the same again) is asked. Milliseconds; in order. */
  attemptMs: [1_500, 3_500],
  /** Queries of all laptops under way at once, each with a socket of its own. */
  mostQueries: 512,
}

/** Who answers messages whose names are not ours. */
export interface DnsUpstream {
  /** The answer, with the ID of the message. @throws InterceptError 'name-server-failed', 'name-server-busy' */
  ask(message: Buffer, signal: AbortSignal): Promise<Buffer>
}

/** Name servers that are asked as a resolver does: by UDP, each query from a port and with an ID of its own. */
export class NameServers implements DnsUpstream {
  readonly #servers: readonly Address[]
  readonly #attemptMs: readonly number[]
  #underWay = 0

  /** @param servers in the order in which they are asked */
  constructor(servers: readonly Address[], attemptMs: readonly number[] = nameServerLimits.attemptMs) {
    this.#servers = servers
    this.#attemptMs = attemptMs
  }

  /** As it came but for its ID. Asked by TCP where UDP is too short. */
  async ask(message: Buffer, signal: AbortSignal): Promise<Buffer> {
    if (this.#underWay >= nameServerLimits.mostQueries) {
      throw new InterceptError('name-server-busy', `${this.#underWay} queries are under way`)
    }
    this.#underWay += 1
    try {
      return withId(await this.#askInTurn(withId(message, randomInt(0x1_0000)), signal), idOf(message) ?? 0)
    } finally {
      this.#underWay -= 1
    }
  }

  async #askInTurn(message: Buffer, signal: AbortSignal): Promise<Buffer> {
    let cause: unknown = new InterceptError('name-server-failed', 'this pod knows no name server')
    const turns = Math.max(this.#attemptMs.length, this.#servers.length)
    for (let turn = 0; turn < turns && this.#servers.length > 0; turn += 1) {
      const server = this.#servers[turn % this.#servers.length] as Address
      const late = AbortSignal.timeout(this.#attemptMs[turn] ?? this.#attemptMs.at(-1) ?? 0)
      const over = AbortSignal.any([signal, late])
      try {
        const answer = await askByUdp(server, message, over)
        return isTruncated(answer) ? await askByTcp(server, message, over) : answer
      } catch (error) {
        signal.throwIfAborted()
        cause = late.aborted ? new InterceptError('ETIMEDOUT', `${server.host} did not answer`) : error
        // Nobody listens there: asking it again is in vain.
        if (this.#servers.length === 1 && codeOf(error) === 'ECONNREFUSED') break
      }
    }
    throw new InterceptError('name-server-failed', `no name server answers: ${messageOf(cause)}`, { cause })
  }
}

const isAnswerTo = (message: Buffer, query: Buffer): boolean => isAnswer(message) && idOf(message) === idOf(query)

function askByUdp({ host, port }: Address, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    const settle = (then: () => void): void => {
      signal.removeEventListener('abort', abort)
      socket.removeAllListeners()
      // What still comes from the kernel has nobody to hear it.
      socket.on('error', () => undefined)
      socket.close()
      then()
    }
    const fail = (error: unknown): void => settle(() => reject(error))
    const abort = (): void => fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    socket.on('error', fail)
    socket.on('message', (message) => {
      if (isAnswerTo(message, query)) settle(() => resolve(message))
    })
    // Connected: the kernel takes datagrams of nobody else, and tells what ICMP says.
    socket.once('connect', () => socket.send(query))
    socket.connect(port, host)
    if (signal.aborted) abort()
  })
}

async function askByTcp(server: Address, query: Buffer, signal: AbortSignal): Promise<Buffer> {
  const socket = await dialTcp(server, { signal })
  return new Promise((resolve, reject) => {
    const reader = new MessageReader()
    const settle = (then: () => void): void => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      then()
    }
    const fail = (error: unknown): void => settle(() => reject(error))
    const abort = (): void => fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    socket.on('error', fail)
    socket.on('end', () => fail(new InterceptError('name-server-failed', `${server.host} ended the connection`)))
    socket.on('data', (chunk) => {
      const answer = reader.read(chunk).find((message) => isAnswerTo(message, query))
      if (answer) settle(() => resolve(answer))
    })
    socket.write(framed(query))
    if (signal.aborted) abort()
  })
}
