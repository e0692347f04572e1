import { describe, expect, it } from 'vitest'
import { ClusterDns, clusterDnsLimits, type DnsWay } from '../../../cli/outbound/cluster-dns.ts'
import { framed, MessageReader } from '../../../src/dns/framing.ts'
import { encodeAnswer, encodeQuery, readAnswer, readQuery } from '../../../src/dns/message.ts'
import { TunnelError } from '../../../src/tunnel/index.ts'
import { type StreamDouble, TunnelDouble } from '../../proxy-pod/support/tunnel-double.ts'

const query = (name: string, id = 7): Buffer => encodeQuery({ id, name, type: 'A' })

function answerTo(message: Buffer): Buffer {
  const read = readQuery(message)
  if (read.kind !== 'query') throw new Error('not a query')
  const { name } = read.query
  const records = [{ type: 'TXT' as const, name, ttl: 5, data: name }]
  return encodeAnswer(read.query, { rcode: 0, records, authoritative: false })
}

function setUp(limits: Partial<typeof clusterDnsLimits> = {}) {
  const tunnel = new TunnelDouble()
  const way: DnsWay = { openDns: (namespace) => tunnel.open({ dns: { namespace } }), up: async () => undefined }
  return { tunnel, way, dns: new ClusterDns(way, 'shop', { ...clusterDnsLimits, ...limits }) }
}

const messagesOf = (stream: StreamDouble): Buffer[] => new MessageReader().read(stream.received)
const sent = (stream: StreamDouble, count: number) => stream.until(() => messagesOf(stream).length >= count)
const textOf = (answer: Buffer): unknown => {
  const [record] = readAnswer(answer)?.records ?? []
  return record && 'data' in record ? String(record.data) : undefined
}

describe('queries', () => {
  it('of one ID are told apart, over one stream, answered in any order', async () => {
    const { tunnel, dns } = setUp()
    const asked = ['a', 'b', 'c'].map((name) => dns.query(query(name)))
    const stream = await tunnel.stream()
    await sent(stream, 3)
    const messages = messagesOf(stream)
    expect(new Set(messages.map((one) => one.readUInt16BE(0))).size).toBe(3)
    for (const message of messages.reverse()) stream.says(framed(answerTo(message)))
    const answers = await Promise.all(asked)
    expect(answers.map(textOf)).toEqual(['a', 'b', 'c'])
    expect(answers.map((one) => one.readUInt16BE(0))).toEqual([7, 7, 7])
    expect(tunnel.streams).toHaveLength(1)
    expect(stream.header).toEqual({ dns: { namespace: 'shop' } })
  })

  it('that were under way when the stream died are asked once more', async () => {
    const { tunnel, dns } = setUp()
    const asked = dns.query(query('a'))
    const first = await tunnel.stream(0)
    await sent(first, 1)
    first.resets('session-lost')
    const second = await tunnel.stream(1)
    await sent(second, 1)
    for (const message of messagesOf(second)) second.says(framed(answerTo(message)))
    expect(textOf(await asked)).toBe('a')
    const again = dns.query(query('b'))
    await sent(second, 2)
    second.resets('session-lost')
    ;(await tunnel.stream(2)).resets('session-lost')
    await expect(again).rejects.toMatchObject({ code: 'tunnel-down' })
  })

  it('fail with what the proxy pod says', async () => {
    const { tunnel, dns } = setUp()
    tunnel.laptop = (stream) => stream.refuses('no such thing')
    await expect(dns.query(query('a'))).rejects.toMatchObject({ code: 'local-down', message: 'no such thing' })
  })

  it('fail where no tunnel comes up, and where no answer comes', async () => {
    const { way, tunnel } = setUp()
    const never: DnsWay = {
      ...way,
      up: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    }
    const limits = { ...clusterDnsLimits, waitForTunnelMs: 20, answerMs: 5_000 }
    await expect(new ClusterDns(never, 'shop', limits).query(query('a'))).rejects.toMatchObject({ code: 'tunnel-down' })
    tunnel.failure = new TunnelError('tunnel-down', 'no proxy pod can be reached')
    await expect(new ClusterDns(way, 'shop').query(query('a'))).rejects.toMatchObject({ code: 'tunnel-down' })
    await expect(setUp({ answerMs: 20 }).dns.query(query('a'))).rejects.toMatchObject({ code: 'dns-timeout' })
  })

  it('end when nobody waits for them, and their late answer is nobody else’s', async () => {
    const { tunnel, dns } = setUp()
    const over = new AbortController()
    const asked = dns.query(query('a'), over.signal)
    const stream = await tunnel.stream()
    await sent(stream, 1)
    over.abort(new Error('not wanted'))
    await expect(asked).rejects.toThrow('not wanted')
    const other = dns.query(query('b'))
    await sent(stream, 2)
    for (const message of messagesOf(stream)) stream.says(framed(answerTo(message)))
    expect(textOf(await other)).toBe('b')
  })

  it('are bounded in number, and must be queries', async () => {
    const { tunnel, dns } = setUp({ mostQueries: 1 })
    const first = dns.query(query('a'))
    await sent(await tunnel.stream(), 1)
    await expect(dns.query(query('b'))).rejects.toMatchObject({ code: 'dns-busy' })
    await expect(dns.query(Buffer.alloc(3))).rejects.toMatchObject({ code: 'bad-query' })
    dns.close()
    await expect(first).rejects.toMatchObject({ code: 'tunnel-down' })
    await expect(dns.query(query('b'))).rejects.toMatchObject({ code: 'tunnel-down' })
  })
})
