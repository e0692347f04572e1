import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { PathRoutes } from '../../../cli/preview/path-routes.ts'
import { parsePersonal } from '../../../cli/preview/personal.ts'
import { PreviewServer } from '../../../cli/preview/preview-server.ts'
import { tunnelAgent } from '../../../cli/preview/tunnel-agent.ts'

/** Everything that a test opened. */
const open: { close(): void }[] = []

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  })
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

let cluster: Server
let connections = 0
let heard: IncomingMessage[] = []
const failures: string[] = []

beforeEach(async () => {
  connections = 0
  heard = []
  failures.length = 0
  cluster = await serve((request, response) => {
    heard.push(request)
    if (request.url === '/login') {
      response.writeHead(302, { location: 'http://web.shop/in', 'set-cookie': ['a=1; Domain=web.shop; Secure'] }).end()
    } else if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
    } else request.pipe(response.writeHead(200, { 'content-type': 'text/plain', 'x-from': 'cluster' }))
  })
  const sockets = new WebSocketServer({ server: cluster })
  sockets.on('connection', (socket, upgrade) => {
    heard.push(upgrade)
    socket.on('message', (data) => socket.send(`cluster: ${data}`))
  })
})

afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

async function preview(serveLocal: string[] = [], clusterPaths: string[] = []): Promise<string> {
  const port = portOf(cluster)
  const server = new PreviewServer({
    remote: ['http://web', 'http://web.shop'],
    agent: tunnelAgent(() => {
      connections += 1
      return connect({ port, host: '127.0.0.1' })
    }, undefined),
    personal: parsePersonal('ada', []),
    paths: new PathRoutes(serveLocal, clusterPaths),
    onRequest: () => undefined,
    onFailure: ({ reason }) => failures.push(reason),
  })
  open.push(server)
  return server.listen(0)
}

describe('the page', () => {
  it('asks the cluster, as the person', async () => {
    const url = await preview()
    const answer = await fetch(`${url}/orders?x=1`, { method: 'POST', body: 'beans', headers: { origin: url } })
    expect(await answer.text()).toBe('beans')
    const [request] = heard
    expect(request?.url).toBe('/orders?x=1')
    expect(request?.headers).toMatchObject({
      host: 'web',
      origin: 'http://web',
      'x-intercept': 'ada',
      baggage: 'intercept=ada',
    })
  })

  it('keeps its connections', async () => {
    const url = await preview()
    for (let index = 0; index < 5; index += 1) await (await fetch(`${url}/${index}`)).text()
    expect(heard).toHaveLength(5)
    expect(connections).toBe(1)
  })

  it('goes on after a redirect, with a cookie of its own', async () => {
    const url = await preview()
    const answer = await fetch(`${url}/login`, { redirect: 'manual' })
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toBe(`${url}/in`)
    expect(answer.headers.getSetCookie()).toEqual(['a=1'])
  })

  it('has WebSockets', async () => {
    const url = await preview()
    const socket = new WebSocket(`${url.replace('http', 'ws')}/live`)
    await once(socket, 'open')
    socket.send('hello')
    const [data] = await once(socket, 'message')
    expect(String(data)).toBe('cluster: hello')
    expect(heard[0]?.headers).toMatchObject({ host: 'web', 'x-intercept': 'ada' })
    socket.terminate()
  })

  it('has server-sent events, one by one', async () => {
    const url = await preview()
    const answer = await fetch(`${url}/events`)
    const reader = answer.body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n')
    await reader?.cancel()
  })

  it('says what it could not reach', async () => {
    const url = await preview()
    const port = portOf(cluster)
    cluster.close()
    cluster.closeAllConnections()
    await once(cluster, 'close')
    const answer = await fetch(`${url}/a`)
    expect(answer.status).toBe(502)
    expect(await answer.text()).toContain(`ECONNREFUSED 127.0.0.1:${port}`)
    expect(failures).toHaveLength(1)
  })

  it('is not for other sites', async () => {
    const url = await preview()
    const foreign = await fetch(url, { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } })
    expect(foreign.status).toBe(403)
    const rebound = request(url, { headers: { host: 'evil.example' } }).end()
    const [answer] = (await once(rebound, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(403)
    answer.resume()
    expect(heard).toHaveLength(0)
  })
})

describe('a dev server in front', () => {
  it('answers its paths; what it does not have, the cluster does', async () => {
    const dev = await serve((request, response) => {
      const known = request.url === '/app.js'
      response.writeHead(known ? 200 : 404, { 'x-from': 'dev' }).end(known ? 'mine' : 'not found')
    })
    const url = await preview([`${portOf(dev)}=/`], ['/api'])
    const from = async (path: string, init?: RequestInit) => {
      const answer = await fetch(url + path, init)
      await answer.text()
      return `${answer.status} ${answer.headers.get('x-from')}`
    }
    expect(await from('/app.js')).toBe('200 dev')
    expect(await from('/other.js')).toBe('200 cluster')
    expect(await from('/api/orders')).toBe('200 cluster')
    expect(await from('/form', { method: 'POST', body: 'x' })).toBe('404 dev')
    expect(heard.map(({ url: path, headers }) => [path, headers.host])).toEqual([
      ['/other.js', 'web'],
      ['/api/orders', 'web'],
    ])
  })

  it('that is down is named', async () => {
    const dev = await serve(() => undefined)
    const port = portOf(dev)
    dev.close()
    await once(dev, 'close')
    const answer = await fetch(`${await preview([`${port}=/`])}/app.js`)
    expect(answer.status).toBe(502)
    expect(await answer.text()).toContain('ECONNREFUSED')
  })
})
