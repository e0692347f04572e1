/** 404 and 503: the request can be followed, but leads nowhere. */
export type MessageStatus = 400 | 404 | 431 | 501 | 503 | 505

/** An HTTP/1.1 message that cannot be followed, or not in one way only. `status` is what its sender deserves. */
export class MessageError extends Error {
  readonly status: MessageStatus

  constructor(message: string, status: MessageStatus = 400) {
    super(message)
    this.name = 'MessageError'
    this.status = status
  }
}
