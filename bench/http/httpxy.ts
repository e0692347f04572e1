/** A rival: httpxy with a keep-alive agent. `httpxy ORIGIN_PORT` */
import { Agent, createServer } from 'node:http'
import { createProxyServer } from 'httpxy'
import { announce, portOf } from '../support/role.ts'

const agent = new Agent({ keepAlive: true, noDelay: true })
const proxy = createProxyServer({ target: `http://127.0.0.1:${process.argv[2]}`, agent })
const server = createServer({ noDelay: true }, (request, response) => {
  proxy.web(request, response).catch((error: unknown) => {
    console.error(error)
    response.destroy()
  })
})
server.listen(0, '127.0.0.1', () => announce({ port: portOf(server) }))
