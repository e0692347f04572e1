import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DialServer } from '../../../../cli/outbound/portable/dial-server.ts'
import { ClusterDouble } from './support/cluster-double.ts'

let cluster: ClusterDouble
let dial: DialServer
let port: number
let failures: string[]
let server: Server

beforeEach(async () => {
  cluster = await ClusterDouble.start()
  failures = []
  dial = new DialServer({
    dial: (to) => cluster.way.dial({ ...to }),
    up: async () => undefined,
    onFailure: ({ host, port: at }, code) => failures.push(`${host}:${at} ${code}`),
  })
  port = Number((await dial.listen()).split(':')[1])
  server = createServer((socket) => socket.on('error', () => undefined).write('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cluster.places.set('10.0.0.7:80', (server.address() as AddressInfo).port)
})

afterEach(async () => {
  dial.close()
  server.close()
  await cluster.close()
})

async function ask(line: string): Promise<{ asking: ReturnType<typeof connect>; answer: Record<string, unknown> }> {
  const asking = connect({ host: '127.0.0.1', port })
  asking.write(line)
  const [chunk] = (await once(asking, 'data')) as [Buffer]
  return { asking, answer: JSON.parse(chunk.toString()) }
}

const request = '{"host":"10.0.0.7","port":80}\n'

describe('a dial for a Node program', () => {
  it('ends with a port that has the connection, once', async () => {
    const { asking, answer } = await ask(request)
    const socket = connect({ host: '127.0.0.1', port: Number(answer.port) })
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    await once(asking, 'close')
    const late = connect({ host: '127.0.0.1', port: Number(answer.port) })
    expect((await once(late, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' })
    socket.destroy()
    await expect.poll(() => cluster.streams).toBe(0)
  })

  it('says why there is none', async () => {
    cluster.places.set('10.0.0.7:81', 'ECONNREFUSED')
    const { answer, asking } = await ask('{"host":"10.0.0.7","port":81}\n')
    expect(answer).toEqual({ code: 'ECONNREFUSED' })
    expect(failures).toEqual(['10.0.0.7:81 ECONNREFUSED'])
    asking.destroy()
  })

  it('that is given up ends the connection in the cluster and closes the port', async () => {
    const { asking, answer } = await ask(request)
    asking.destroy()
    await expect.poll(() => cluster.streams).toBe(0)
    const late = connect({ host: '127.0.0.1', port: Number(answer.port) })
    expect((await once(late, 'error'))[0]).toMatchObject({ code: expect.stringMatching(/^ECONN/) })
  })

  it.each([
    'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    '{"host":"orders","port":80}\n',
    '{"host":"10.0.0.7","port":0}\n',
    '{"host":"10.0.0.7"}\n',
    '{"host"\n',
    `{${'x'.repeat(2_000)}`,
    '[]\n',
    'null\n',
  ])('is not got with %j', async (line) => {
    const asking = connect({ host: '127.0.0.1', port })
    asking.on('error', () => undefined)
    asking.write(line)
    expect(await text(asking).catch(() => '')).toBe('')
    expect(cluster.dialled).toEqual([])
  })

  it('is not left open when all ends', async () => {
    const { asking, answer } = await ask(request)
    const socket = connect({ host: '127.0.0.1', port: Number(answer.port) }).on('error', () => undefined)
    await once(socket, 'data')
    dial.close()
    await Promise.all([buffer(socket).catch(() => undefined), asking.destroyed || once(asking, 'close')])
    await expect.poll(() => cluster.streams).toBe(0)
  })
})
