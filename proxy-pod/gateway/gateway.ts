import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Log } from '../../src/log.ts'
import { authorityName } from '../../src/resource/authority-name.ts'
import { acceptWebSockets, createTunnelServer, type Tunnel, type TunnelServer } from '../../src/tunnel/index.ts'
import type { ClusterView } from '../controller/cluster-view.ts'
import type { Metrics } from '../metrics.ts'
import type { Outbound } from '../outbound/outbound.ts'
import { whyRefused } from './addressee.ts'
import { authorize, type Opened, reachesOf } from './authorize.ts'
import type { GatewayCertificate } from './certificate.ts'
import type { TunnelRegistry } from './tunnels.ts'

interface GatewayParts {
  readonly view: ClusterView
  readonly tunnels: TunnelRegistry
  readonly outbound: Outbound
  readonly metrics: Metrics
  readonly log: Log
  readonly podName: string
  /** Why this replica takes no traffic now; undefined: it is ready. */
  notReady(): string | undefined
}

/** The client knows which cipher it has in hardware: Go's, so the API server's, is half as dear as OpenSSL's first. */
const tlsOptions = { minVersion: 'TLSv1.2', honorCipherOrder: false } as const

/** HTTPS where laptops' carriers arrive, and the kubelet's and Prometheus' questions. */
export class Gateway {
  readonly #server: Server
  readonly #tunnels: TunnelServer
  readonly #parts: GatewayParts

  constructor({ authority, ...certificate }: GatewayCertificate, parts: GatewayParts) {
    this.#parts = parts
    const { view, tunnels, log } = parts
    this.#tunnels = createTunnelServer<{ publicKey: string; opened: Opened }>({
      authorize: async ({ publicKey }) => {
        const opened = await authorize(view, publicKey)
        if (opened) return { identity: { publicKey, opened } }
        const message = 'nothing in the cluster has this key: it was released, revoked or has expired'
        return { refusal: { code: 'not-authorized', message } }
      },
      onTunnel: (tunnel, { publicKey, opened }) => {
        for (const intercept of opened.intercepts) tunnels.add(intercept, tunnel)
        log.info({ tunnel: tunnel.id, ...opened }, 'tunnel opened')
        if (opened.connection !== undefined) this.#closeWithConnection(tunnel, publicKey)
        return {
          onStream: parts.outbound.forTunnel(() => reachesOf(view, publicKey)),
          onState: (state, { reason }) => {
            log.info({ tunnel: tunnel.id, state, reason }, 'tunnel changed')
            if (state === 'closed') tunnels.remove(tunnel)
            else tunnels.changed()
          },
        }
      },
    })
    const sockets = acceptWebSockets()
    this.#server = createServer({ ...certificate, ...tlsOptions, noDelay: true }, (request, response) =>
      this.#answer(request, response),
    )
    const own = { pod: parts.podName, authority: authorityName(authority) }
    this.#server.on('upgrade', (request, socket, head) => {
      const refused = whyRefused(request, own)
      if (refused) {
        const { status, reason } = refused
        if (status === 421) log.warn({ url: request.url, reason }, 'a carrier came to the wrong gateway')
        const length = Buffer.byteLength(reason)
        socket.end(
          `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${length}\r\n\r\n${reason}`,
        )
        return
      }
      const carrier = sockets.handleUpgrade(request, socket, head)
      if (carrier) this.#tunnels.accept(carrier)
    })
  }

  /** A Connection that is gone takes what goes through it along. */
  #closeWithConnection(tunnel: Tunnel, publicKey: string): void {
    const { view } = this.#parts
    const stop = view.onChange(() => {
      if (tunnel.state !== 'closed' && reachesOf(view, publicKey).length > 0) return
      stop()
      void tunnel.close('now', 'the Connection is gone')
    })
  }

  async listen(host: string | undefined, port: number): Promise<void> {
    this.#server.listen({ host, port })
    await once(this.#server, 'listening')
  }

  /** 'drain': laptops are told to go elsewhere, open streams may end. */
  async close(how: 'drain' | 'now'): Promise<void> {
    await this.#tunnels.close(how)
    this.#server.close()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { metrics, podName } = this.#parts
    switch (request.url) {
      case '/healthz':
        reply(response, 200, 'ok')
        break
      case '/readyz': {
        const reason = this.#parts.notReady()
        reply(response, reason === undefined ? 200 : 503, reason ?? 'ok')
        break
      }
      case '/version':
        reply(response, 200, JSON.stringify({ version: process.env.INTERCEPT_VERSION, pod: podName }))
        break
      case '/metrics':
        metrics.registry.metrics().then(
          (text) => reply(response, 200, text, metrics.registry.contentType),
          (error: unknown) => reply(response, 500, String(error)),
        )
        break
      default:
        reply(response, 404, 'not found: /healthz, /readyz, /version, /metrics are here')
    }
  }
}

function reply(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
