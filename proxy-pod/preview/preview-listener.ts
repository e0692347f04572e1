import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { ForwardingOptions } from '../../src/http/forwarding-fields.ts'
import { withFields, withoutFields } from '../../src/http/forwarding-fields.ts'
import { MessageError } from '../../src/http/message-error.ts'
import { personalHead } from '../../src/http/personal-fields.ts'
import type { RequestMessage } from '../../src/http/request-message.ts'
import type { Kube } from '../../src/kube/types.ts'
import type { Connection, ConnectionOwner } from '../dataplane/connection.ts'
import { Copies } from '../dataplane/copies.ts'
import { Http1Connection } from '../dataplane/http1-connection.ts'
import type { TrafficCounter } from '../dataplane/traffic.ts'
import { TunnelHealth } from '../dataplane/tunnel-health.ts'
import { type PreviewOptions, personOfHost } from './preview-host.ts'
import { PreviewTarget } from './preview-target.ts'

const hostField: ReadonlySet<string> = new Set(['host'])

/**
 * Preview host names: HTTP/1.1 to NAME.DOMAIN goes to the previewed Service as that person's request. For an Ingress of
 * the cluster, which ends TLS; whoever reaches it may take any name.
 */
export class PreviewListener implements ConnectionOwner {
  readonly traffic: TrafficCounter
  readonly copies = new Copies(0)
  readonly forwarding: ForwardingOptions | undefined
  readonly #options: PreviewOptions
  readonly #target: PreviewTarget
  readonly #health = new TunnelHealth()
  readonly #server: Server
  readonly #connections = new Set<Http1Connection>()

  constructor(kube: Kube, options: PreviewOptions, traffic: TrafficCounter, forwarding?: ForwardingOptions) {
    this.#options = options
    this.#target = new PreviewTarget(kube, options)
    this.traffic = traffic
    this.forwarding = forwarding
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
      this.#serve(socket),
    )
  }

  /** Those with a request under way. An Ingress keeps others open for as long as it likes. */
  get connections(): number {
    return [...this.#connections].filter(({ isIdle }) => !isIdle).length
  }

  /** @param port 0 for any free one. @returns the port. Rejects with a KubeError where the Service may not be read */
  async listen(host: string | undefined, port: number): Promise<number> {
    await this.#target.synced()
    this.#server.listen({ host, port })
    await once(this.#server, 'listening')
    this.#server.on('error', (error) => this.traffic.clientError(error))
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : port
  }

  /** No new connections; open ones go on. */
  stopAccepting(): void {
    if (this.#server.listening) this.#server.close()
  }

  close(): void {
    this.stopAccepting()
    this.#target.stop()
    for (const connection of [...this.#connections]) connection.reset()
  }

  // ---- of the connections

  rewriteHead(head: Buffer, request: RequestMessage): Buffer {
    const { domain, host } = this.#options
    const name = personOfHost(request.authority, domain)
    if (name === undefined)
      throw new MessageError(`no preview is at "${request.authority}", previews are at NAME.${domain}`, 404)
    const why = this.#target.whyNot
    if (why !== undefined) throw new MessageError(why, 503)
    const personal = personalHead(head, request, name)
    if (host === undefined) return personal
    // Two hosts in one request might be believed by two.
    if (!request.target.startsWith('/') && request.target !== '*')
      throw new MessageError('a target with a host of its own')
    return withFields(withoutFields(personal, hostField), `Host: ${host}\r\n`)
  }

  closed(connection: Http1Connection): void {
    this.#connections.delete(connection)
  }

  handOver(connection: Connection): void {
    // It is HTTP/1.1 from its first byte on, or refused.
    connection.reset()
  }

  #serve(socket: Socket): void {
    const { namespace, service, port } = this.#options
    const route = {
      service: `${namespace}/${service}`,
      port,
      origin: this.#target.balancer,
      claims: [],
      health: this.#health,
      dialsEachRequest: true,
    }
    this.#connections.add(new Http1Connection(socket, Buffer.alloc(0), route, this))
  }
}
