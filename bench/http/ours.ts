/** The data plane of a proxy pod: a port with an Intercept of some requests, of which none comes. `ours ORIGIN_PORT` */
import { OriginBalancer } from '../../proxy-pod/dataplane/origin-balancer.ts'
import { TcpListener } from '../../proxy-pod/dataplane/tcp-listener.ts'
import type { TrafficCounter } from '../../proxy-pod/dataplane/traffic.ts'
import { TunnelHealth } from '../../proxy-pod/dataplane/tunnel-health.ts'
import { announce } from '../support/role.ts'

const bytes = { in: 0, out: 0 }
const traffic: TrafficCounter = {
  connected: () => undefined,
  fromClient: (count) => {
    bytes.in += count
  },
  toClient: (count) => {
    bytes.out += count
  },
  failedOpen: (reason) => console.error(reason),
  refused: (reason) => console.error(reason),
  clientError: () => undefined,
}
const origin = new OriginBalancer()
origin.update([{ address: '127.0.0.1', port: Number(process.argv[2]) }], false)
const listener = new TcpListener(
  {
    service: 'bench/orders',
    port: 80,
    origin,
    health: new TunnelHealth(),
    claims: [
      {
        intercept: 'bench/orders-ada',
        mode: 'intercept',
        matches: ({ rawHeaders }) => {
          for (let at = 0; at < rawHeaders.length; at += 2)
            if (rawHeaders[at]?.toLowerCase() === 'x-intercept') return rawHeaders[at + 1] === 'ada'
          return false
        },
        onLocalDown: 'origin',
        acceptTimeoutMs: 1_500,
        workload: undefined,
        tunnel: () => undefined,
      },
    ],
  },
  traffic,
)
announce({ port: await listener.listen('127.0.0.1', 0) })
