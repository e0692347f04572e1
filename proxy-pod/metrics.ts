import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What /metrics tells Prometheus. Times are seconds, sizes bytes. */
export class Metrics {
  readonly registry = new Registry()
  readonly intercepts = this.#gauge('intercept_intercepts', 'Accepted Intercepts')
  readonly tunnels = this.#gauge('intercept_tunnels', 'Tunnels of laptops to this replica that are up')
  readonly streams = this.#gauge('intercept_streams', 'Streams open to laptops')
  readonly services = this.#gauge('intercept_services', 'Services that this replica listens for')
  readonly connections = this.#counter('intercept_connections_total', 'Connections of the cluster', ['upstream'])
  readonly bytes = this.#counter('intercept_bytes_total', 'Bytes of connections', ['upstream', 'direction'])
  readonly failOpens = this.#counter(
    'intercept_fail_opens_total',
    'Connections for a laptop that went to the origin',
    [],
  )
  readonly refused = this.#counter('intercept_refused_total', 'Connections that no upstream took', [])
  readonly takeoverSeconds = this.#histogram(
    'intercept_takeover_seconds',
    'From the Intercept to the Service taken over',
  )
  readonly releaseSeconds = this.#histogram(
    'intercept_release_seconds',
    'From the last Intercept to the Service released',
  )

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] })
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: [0.1, 0.2, 0.5, 1, 2, 5, 10, 30], registers: [this.registry] })
  }
}
