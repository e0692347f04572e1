/** A container cannot be started yet: what it needs is not there. Its `reason` is that of the waiting state. */
export class NotReadyError extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.name = 'NotReadyError'
    this.reason = reason
  }
}
