/** What all lanes of a tunnel count together. */
export class TunnelTotals {
  /** Streams that the peer opened and that are not over, and ours. */
  peerStreams = 0
  ownStreams = 0
  bytesIn = 0
  bytesOut = 0
  /** What windows have grown beyond their first size. */
  grownBytes = 0

  get streams(): number {
    return this.peerStreams + this.ownStreams
  }
}
