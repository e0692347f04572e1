/** The head of one HTTP request, whatever its version: what a match may look at. */
export interface RequestHead {
  readonly method: string
  /** As sent: `/orders?limit=1`, `*`, or an absolute URI. For HTTP/2, `:path`. */
  readonly target: string
  /** Host of the request, with its port where one was sent: `:authority`, the absolute target's, or Host; '' if none. */
  readonly authority: string
  /** Name, value, name, value …, in order, as sent; without HTTP/2's pseudo-headers. */
  readonly rawHeaders: readonly string[]
}
