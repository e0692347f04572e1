import { type Answer, decode, encode } from 'dns-packet'
import type { DnsQuery } from '../../../../../cli/outbound/portable/dns-listener.ts'
import type { Way } from '../../../../../cli/outbound/portable/way.ts'
import { dialTcp } from '../../../../../src/dial-tcp.ts'
import { codeOf, InterceptError, messageOf } from '../../../../../src/errors.ts'
import { answerStream } from '../../../../../src/tunnel/index.ts'
import { type TunnelPair, tunnelPair } from '../../../../tunnel/support/tunnel-pair.ts'

/** A cluster behind a real tunnel: its addresses lead to servers of the test, its names are a table. */
export class ClusterDouble {
  /** `10.0.0.7:80` -> a port of this machine, or the code with which it fails. */
  readonly places = new Map<string, number | string>()
  /** Whole name -> records. A name that ends in `.failing` is answered with SERVFAIL. */
  readonly names = new Map<string, Answer[]>()
  /** `host:port` of all that was dialled, and all names that were asked for. */
  readonly dialled: string[] = []
  readonly asked: string[] = []
  readonly way: Way
  readonly dns: DnsQuery
  readonly #pair: TunnelPair

  private constructor(pair: TunnelPair) {
    this.#pair = pair
    this.way = {
      dial: (destination) => pair.client.tunnel.open({ dial: destination }),
      up: async () => undefined,
    }
    this.dns = { query: async (message) => this.#answerOf(message) }
  }

  static async start(): Promise<ClusterDouble> {
    const pair = await tunnelPair({ limits: { deadMs: 10_000, graceMs: 10_000 } })
    const double = new ClusterDouble(pair)
    const server = await pair.server
    server.onStream = (stream) => {
      const { host, port } = stream.header.dial as { host: string; port: number }
      double.dialled.push(`${host}:${port}`)
      answerStream(stream, {
        dial: async (signal) => {
          const place = double.places.get(`${host}:${port}`) ?? 'EHOSTUNREACH'
          if (typeof place === 'string') throw new InterceptError(place, `${host}:${port}: ${place}`)
          return dialTcp({ host: '127.0.0.1', port: place }, { signal })
        },
        refusal: (error) => ({ code: codeOf(error) ?? 'unreachable', message: messageOf(error) }),
      })
    }
    await pair.client.became('up')
    return double
  }

  /** Streams that are open now. */
  get streams(): number {
    return this.#pair.client.tunnel.stats.streams
  }

  close(): Promise<void> {
    return this.#pair.close()
  }

  #answerOf(message: Buffer): Buffer {
    const query = decode(message)
    const [question] = query.questions ?? []
    if (!question) throw new Error('no question')
    const name = question.name.toLowerCase()
    this.asked.push(`${question.type} ${name}`)
    if (name.endsWith('.failing')) throw new Error('no answer')
    const all = this.names.get(name)
    const rcode = all ? 0 : 3
    return encode({
      type: 'response',
      id: query.id ?? 0,
      // AA, RD, RA; the last four bits are the code.
      flags: 0x0580 | rcode,
      questions: [question],
      answers: (all ?? []).filter(({ type }) => type === question.type),
    })
  }
}

export const addressRecord = (name: string, address: string): Answer => ({
  type: address.includes(':') ? 'AAAA' : 'A',
  name,
  ttl: 5,
  data: address,
})
