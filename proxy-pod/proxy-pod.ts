import type { Kube } from '../src/kube/types.ts'
import type { Log } from '../src/log.ts'
import type { ProxyPodConfig } from './config.ts'
import { ClusterView } from './controller/cluster-view.ts'
import { ConnectionSweeper } from './controller/connection-sweeper.ts'
import { Controller } from './controller/controller.ts'
import { LeaderElection } from './controller/leader.ts'
import { TlsSecrets } from './controller/tls-secrets.ts'
import { Replica, replicaLimits } from './dataplane/replica.ts'
import type { TrafficCounter } from './dataplane/traffic.ts'
import { servingCertificate } from './gateway/certificate.ts'
import { Gateway } from './gateway/gateway.ts'
import { TunnelRegistry } from './gateway/tunnels.ts'
import { Metrics } from './metrics.ts'
import { Outbound } from './outbound/outbound.ts'
import { PreviewListener } from './preview/preview-listener.ts'
import { ReplicaStatus } from './replica-status.ts'
import { trafficCounters } from './traffic-counters.ts'

/** Longest time that open connections have to end after SIGTERM; below the pod's terminationGracePeriodSeconds. */
const connectionDrainMs = 60_000

/** Joins the rooms of one proxy pod, and takes them apart in order. */
export class ProxyPod {
  readonly #kube: Kube
  readonly #config: ProxyPodConfig
  readonly #log: Log
  readonly #metrics = new Metrics()
  readonly #tunnels = new TunnelRegistry()
  readonly #view: ClusterView
  readonly #tlsSecrets: TlsSecrets
  readonly #traffic: (service: string, port: number) => TrafficCounter
  readonly #replica: Replica
  readonly #controller: Controller
  readonly #sweeper: ConnectionSweeper
  readonly #election: LeaderElection
  readonly #status: ReplicaStatus
  readonly #outbound: Outbound
  #gateway: Gateway | undefined
  #preview: PreviewListener | undefined
  #notReady: string | undefined = 'starting'

  constructor(kube: Kube, config: ProxyPodConfig, log: Log) {
    this.#kube = kube
    this.#config = config
    this.#log = log
    const { pod, systemNamespace, host, faultPoints } = config
    const view = new ClusterView(kube, systemNamespace, config.namespaces)
    this.#view = view
    this.#tlsSecrets = new TlsSecrets(kube, log)
    const parts = { kube, view, log, tlsSecrets: this.#tlsSecrets, pod, tunnels: this.#tunnels, metrics: this.#metrics }
    this.#traffic = trafficCounters(this.#metrics, log)
    this.#replica = new Replica({ ...parts, host, traffic: this.#traffic, forwarding: config.forwarding })
    this.#election = new LeaderElection(
      kube,
      systemNamespace,
      pod,
      () => view.replicas,
      log,
      (leads) => {
        if (leads) {
          this.#controller.wake()
          this.#sweeper.start()
        } else {
          this.#controller.stop()
          this.#sweeper.stop()
        }
      },
    )
    this.#controller = new Controller({ ...parts, faultPoints }, () => this.#election.leads)
    this.#sweeper = new ConnectionSweeper(parts)
    this.#status = new ReplicaStatus(parts)
    this.#outbound = new Outbound(kube, { ips: pod.ips, gatewayPort: config.gatewayPort }, config.outbound)
  }

  async start(): Promise<void> {
    const { pod, systemNamespace, host, gatewayPort, gatewayAddress } = this.#config
    const certificate = await servingCertificate(this.#kube, systemNamespace, pod, gatewayAddress)
    this.#gateway = new Gateway(certificate, {
      view: this.#view,
      tunnels: this.#tunnels,
      outbound: this.#outbound,
      metrics: this.#metrics,
      log: this.#log,
      podName: pod.name,
      notReady: () => this.#notReady,
    })
    await this.#gateway.listen(host, gatewayPort)
    await this.#view.synced
    await this.#listenForPreviews()
    this.#view.onChange(() => {
      this.#replica.wake()
      this.#controller.wake()
      this.#election.hurry()
      this.#gauge()
    })
    this.#tunnels.onChange(() => this.#gauge())
    this.#notReady = undefined
    this.#replica.wake()
    await this.#election.run()
    this.#log.info({ port: gatewayPort, version: process.env.INTERCEPT_VERSION }, 'ready')
  }

  /** Leaves no Service unanswered: withdraws (or releases, as the last one), drains, and gives the lease back. */
  async leave(): Promise<void> {
    this.#log.info('leaving')
    this.#notReady = 'leaving'
    const wasPublished = this.#replica.services > 0
    await this.#replica.leave()
    await this.#election.stop()
    this.#controller.stop()
    this.#sweeper.stop()
    // kube-proxy tells nobody when it has followed.
    if (wasPublished || this.#preview) await new Promise((resolve) => setTimeout(resolve, replicaLimits.propagationMs))
    this.#replica.stopAccepting()
    this.#preview?.stopAccepting()
    const deadline = Date.now() + connectionDrainMs
    while (this.#connections > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    this.#log.info({ connections: this.#connections }, 'drained')
    this.#status.stop()
    this.#replica.close()
    this.#preview?.close()
    await this.#gateway?.close('now')
    this.#outbound.close()
    this.#tlsSecrets.retain([])
    this.#view.stop()
  }

  get #connections(): number {
    return this.#replica.connections + (this.#preview?.connections ?? 0)
  }

  async #listenForPreviews(): Promise<void> {
    const { preview, previewPort, host, forwarding } = this.#config
    if (!preview) return
    const { namespace, service, port, domain } = preview
    const traffic = this.#traffic(`${namespace}/${service}`, port)
    this.#preview = new PreviewListener(this.#kube, preview, traffic, forwarding)
    const listening = await this.#preview.listen(host, previewPort)
    this.#log.info({ port: listening, domain, service: `${namespace}/${service}` }, 'previews')
  }

  #gauge(): void {
    this.#metrics.intercepts.set(this.#view.intercepts.length)
    this.#metrics.services.set(this.#replica.services)
    this.#metrics.tunnels.set(this.#tunnels.up)
    let streams = 0
    for (const tunnel of new Set([...this.#tunnels.entries].map(([, one]) => one))) streams += tunnel.stats.streams
    this.#metrics.streams.set(streams)
  }
}
