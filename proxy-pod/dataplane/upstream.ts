/** Where the bytes of one client connection go: a laptop's stream or a socket to an origin endpoint. */
export interface Upstream {
  readonly kind: 'laptop' | 'origin'
  /** Takes ownership. False: stop until onDrain. */
  write(chunk: Buffer): boolean
  /** Half-close of the client's direction. */
  end(): void
  /** Ends both directions at once; no more events. */
  reset(): void
  /** Lets both directions go on to their natural end without us being told (the client has moved on). */
  abandon(): void
  /** The client's socket took everything that onData delivered and returned false for. */
  consumed(): void
}

export interface UpstreamEvents {
  /** The upstream is there: what was written so far counts as delivered, no other upstream may be tried. */
  onAccept(): void
  /** Nothing was delivered; another upstream may be tried. */
  onRefuse(reason: string): void
  /** False: the client is slow, the chunk is not off our hands before `consumed`. */
  onData(chunk: Buffer): boolean
  onEnd(): void
  onReset(): void
  onDrain(): void
}
