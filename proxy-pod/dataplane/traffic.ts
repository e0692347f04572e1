/** What the connections of one Service port report; the metrics and the Intercept's status are fed from it. */
export interface TrafficCounter {
  connected(upstream: 'laptop' | 'origin'): void
  fromClient(bytes: number, toLaptop: boolean): void
  toClient(bytes: number, fromLaptop: boolean): void
  /** A connection meant for a laptop went to the origin. */
  failedOpen(reason: string): void
  /** No upstream took the connection. */
  refused(reason: string): void
  clientError(error: Error): void
}
