/** A rival: http-proxy with a keep-alive agent. `http-proxy ORIGIN_PORT` */
import { Agent, createServer } from 'node:http'
import { createProxyServer } from 'http-proxy'
import { announce, portOf } from '../support/role.ts'

const agent = new Agent({ keepAlive: true, noDelay: true })
const proxy = createProxyServer({ target: `http://127.0.0.1:${process.argv[2]}`, agent })
proxy.on('error', (error) => console.error(error))
const server = createServer({ noDelay: true }, (request, response) => proxy.web(request, response))
server.listen(0, '127.0.0.1', () => announce({ port: portOf(server) }))
