/** What the developer runs. */
import { serveLoad } from './load-server.ts'
import { announce, portOf } from './role.ts'

const server = serveLoad()
server.listen(0, '127.0.0.1', () => announce({ port: portOf(server) }))
