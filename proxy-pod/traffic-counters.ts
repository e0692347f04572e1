import type { Log } from '../src/log.ts'
import type { TrafficCounter } from './dataplane/traffic.ts'
import type { Metrics } from './metrics.ts'

/** Feeds the metrics from the connections of a Service port. The counters are resolved once, not for each chunk. */
export function trafficCounters(metrics: Metrics, log: Log): (service: string, port: number) => TrafficCounter {
  const connections = { laptop: metrics.connections.labels('laptop'), origin: metrics.connections.labels('origin') }
  const bytes = (upstream: string) => ({
    in: metrics.bytes.labels(upstream, 'from-client'),
    out: metrics.bytes.labels(upstream, 'to-client'),
  })
  const laptop = bytes('laptop')
  const origin = bytes('origin')
  return (service, port) => ({
    connected: (upstream) => connections[upstream].inc(),
    fromClient: (count, toLaptop) => (toLaptop ? laptop : origin).in.inc(count),
    toClient: (count, fromLaptop) => (fromLaptop ? laptop : origin).out.inc(count),
    failedOpen: (reason) => {
      metrics.failOpens.inc()
      log.debug({ service, port, reason }, 'to the origin instead of the laptop')
    },
    refused: (reason) => {
      metrics.refused.inc()
      log.warn({ service, port, reason }, 'no upstream took a connection')
    },
    clientError: (error) => log.debug({ service, port, err: error }, 'client'),
  })
}
