import { once } from 'node:events'
import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { filteredClaim } from '../support/claims.ts'
import { laptop } from '../support/laptop.ts'
import { Port } from '../support/port.ts'

async function server(name: string): Promise<Server> {
  const http = createServer(async (incoming, response) => {
    let length = 0
    for await (const chunk of incoming) length += (chunk as Buffer).length
    response.end(`${name} ${incoming.url} ${length}`)
  })
  http.keepAliveTimeout = 60_000
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  return http
}

const portOf = (http: Server): number => (http.address() as AddressInfo).port

test('connections in use see Intercepts begin and end, whole and filtered, and not one request fails', async () => {
  const [origin, ada, eve] = [await server('origin'), await server('ada'), await server('eve')]
  const tunnels = { ada: await laptop(portOf(ada)), eve: await laptop(portOf(eve)) }
  const port = await Port.open({ endpoints: [{ address: '127.0.0.1', port: portOf(origin) }] })
  const claims = {
    ada: filteredClaim(tunnels.ada, { intercept: 'shop/ada', matches: ({ target }) => target.startsWith('/ada') }),
    eve: filteredClaim(tunnels.eve, { intercept: 'shop/eve', matches: ({ target }) => target.startsWith('/eve') }),
    whole: filteredClaim(tunnels.ada, { intercept: 'shop/whole', matches: undefined }),
  }
  const routes = [[], [claims.ada], [claims.ada, claims.eve], [claims.eve], [claims.whole]]
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  onTestFinished(() => agent.destroy())

  const ask = (path: string, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const asking = request({ port: port.number, path, agent, method: body === '' ? 'GET' : 'POST' }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve(text)).on('error', reject)
      })
      asking.on('error', reject)
      asking.end(body)
    })

  const answers = new Map<string, number>()
  let turn = 0
  const caller = async (name: string): Promise<void> => {
    for (let count = 0; count < 150; count += 1) {
      const path = `/${name}/${count}`
      const body = 'x'.repeat(count % 3 === 0 ? 0 : count * 40)
      const text = await ask(path, body)
      const [who = '', ...rest] = text.split(' ')
      expect(rest).toEqual([path, String(body.length)])
      // Ada has everybody's while her Intercept is of the whole port; Eve's is filtered.
      expect(['origin', name, 'ada']).toContain(who)
      answers.set(`${name} by ${who}`, (answers.get(`${name} by ${who}`) ?? 0) + 1)
      if (count % 5 === 0) port.setClaims(routes[turn++ % routes.length] ?? [])
    }
  }
  await Promise.all(['ada', 'eve', 'bob', 'ada', 'eve', 'bob'].map(caller))
  expect(answers.get('eve by eve')).toBeGreaterThan(0)
  expect(answers.get('bob by eve')).toBeUndefined()
  expect(answers.get('ada by eve')).toBeUndefined()
  expect(answers.get('bob by origin')).toBeGreaterThan(0)
})
