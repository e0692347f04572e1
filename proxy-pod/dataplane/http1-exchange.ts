import { type BodyReader, bodyReader } from '../../src/http/body-reader.ts'
import { HeadReader } from '../../src/http/head-reader.ts'
import { MessageError } from '../../src/http/message-error.ts'
import type { RequestMessage } from '../../src/http/request-message.ts'
import { parseResponse, type ResponseMessage } from '../../src/http/response-message.ts'
import type { Http1Link } from './http1-link.ts'
import type { MirrorCopy } from './mirror-copy.ts'
import type { Claim } from './route.ts'
import type { UpstreamEvents } from './upstream.ts'

/** Bytes of a request that are kept until an upstream accepts them; then reading pauses. */
const maxKeptBytes = 64 * 1024
/** Nothing that the server keeps changes by them (RFC 9110, 9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
/** Twice is as good as once (RFC 9110, 9.2.2). */
const idempotentMethods: ReadonlySet<string> = new Set([...safeMethods, 'PUT', 'DELETE'])

/** The connection that an exchange belongs to. */
export interface ExchangeOwner {
  /** Bytes of the response. False: the client is slow, `consumed` of the link is called later. */
  toClient(chunk: Buffer, link: Http1Link): boolean
  /** Stops and goes on reading the client. */
  setReading(isReading: boolean): void
  /** Both messages are whole. `isLast`: the client's connection ends after it. */
  exchangeDone(isLast: boolean): void
  /** The upstream half-closed after a switch of protocols, or in the middle: so does the client's connection. */
  endClient(): void
  resetClient(): void
  /** Nobody has seen the request, or it may be asked again; `exchange.send` is to be called, or it is to be given up. */
  refused(reason: string, link: Http1Link): void
  /** A reused upstream turned out to be closed: the same request again, over a new one. */
  askAgain(): void
  /** What the upstream says is no HTTP, and the client has no final response yet. */
  badResponse(reason: string): void
}

/** One request and its response, on the way through. Follows both, holds neither but for the heads. */
export class Http1Exchange implements UpstreamEvents {
  readonly request: RequestMessage
  readonly claim: Claim | undefined
  readonly #owner: ExchangeOwner
  readonly #head: Buffer
  readonly #body: BodyReader
  readonly #copies: readonly MirrorCopy[]
  readonly #responseHead = new HeadReader()
  #response: ResponseMessage | undefined
  #responseBody: BodyReader | undefined
  #link: Http1Link | undefined
  /** What of the body no upstream has accepted yet; undefined once one has. */
  #kept: Buffer[] | undefined = []
  #keptBytes = 0
  #writesBlocked = false
  #clientEnded = false
  #isAnswering = false
  #isSwitched = false
  #isOver = false

  /** @param head as sent; goes to the upstream as it is */
  constructor(
    owner: ExchangeOwner,
    request: RequestMessage,
    head: Buffer,
    claim: Claim | undefined,
    copies: readonly MirrorCopy[],
  ) {
    this.#owner = owner
    this.request = request
    this.#head = head
    this.claim = claim
    this.#copies = copies
    this.#body = bodyReader(request.body, 'request')
    for (const copy of copies) copy.write(head)
  }

  get link(): Http1Link | undefined {
    return this.#link
  }

  /** True while it takes bytes of the client. */
  get takesBytes(): boolean {
    return this.#isSwitched || !this.#body.isDone
  }

  /** True where the client has got a byte of a final response. */
  get hasResponse(): boolean {
    return this.#response !== undefined
  }

  /** Both sides are another protocol's. */
  get isSwitched(): boolean {
    return this.#isSwitched
  }

  /** Whole, with a safe method, and not a byte of its answer has come. */
  get isRepeatable(): boolean {
    return this.#mayRepeat(safeMethods)
  }

  /** Sends what there is of the request; also again, to another upstream, where the one before has not accepted. */
  send(link: Http1Link): void {
    this.#link = link
    link.use(this)
    this.#setBlocked(false)
    let takesMore = link.write(this.#head)
    for (const chunk of this.#kept ?? []) takesMore = link.write(chunk)
    if (this.#clientEnded) link.end()
    if (link.isAccepted) this.onAccept()
    if (!takesMore) this.#setBlocked(true)
  }

  /** @returns how many of the bytes belong to the request. @throws MessageError; the caller aborts then */
  fromClient(bytes: Buffer): number {
    const taken = this.#isSwitched ? bytes.length : this.#body.take(bytes)
    if (taken === 0) return 0
    const chunk = taken === bytes.length ? bytes : bytes.subarray(0, taken)
    for (const copy of this.#copies) copy.write(chunk)
    if (this.#kept) {
      this.#kept.push(chunk)
      this.#keptBytes += taken
    }
    if (this.#link?.write(chunk) === false) this.#setBlocked(true)
    else if (this.#kept && this.#keptBytes >= maxKeptBytes) this.#owner.setReading(false)
    this.#finishIfDone()
    return taken
  }

  /** The client half-closed. */
  clientEnd(): void {
    if (this.#clientEnded) return
    this.#clientEnded = true
    if (this.takesBytes && !this.#isSwitched) this.#dropCopies()
    this.#link?.end()
  }

  /** Ends it in the upstream, which never sees its end. */
  abort(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#dropCopies()
    this.#link?.reset()
  }

  onAccept(): void {
    this.#kept = undefined
    if (!this.#writesBlocked) this.#owner.setReading(true)
  }

  onRefuse(reason: string): void {
    if (!this.#isOver && this.#link) this.#owner.refused(reason, this.#link)
  }

  onDrain(): void {
    if (!this.#isOver) this.#setBlocked(false)
  }

  onData(chunk: Buffer): boolean {
    if (this.#isOver || !this.#link) return true
    this.#isAnswering = true
    if (this.#isSwitched) return this.#owner.toClient(chunk, this.#link)
    try {
      return this.#follow(chunk)
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      this.abort()
      if (this.#response) this.#owner.resetClient()
      else this.#owner.badResponse(error.message)
      return true
    }
  }

  onEnd(): void {
    const link = this.#link
    if (this.#isOver || !link) return
    if (this.#isSwitched) {
      this.#owner.endClient()
      return
    }
    link.abandon()
    if (this.#response?.body === 'until-close') this.#done(true)
    else if (link.isReused && this.#mayRepeat(idempotentMethods)) this.#owner.askAgain()
    else {
      this.#isOver = true
      this.#dropCopies()
      // An end that comes in the middle tells the client what it would have told it without us.
      this.#owner.endClient()
    }
  }

  onReset(): void {
    const link = this.#link
    if (this.#isOver || !link) return
    if (link.isReused && this.#mayRepeat(idempotentMethods)) this.#owner.askAgain()
    else if (link.kind === 'laptop' && this.isRepeatable && this.claim?.onLocalDown !== 'fail')
      this.#owner.refused('the laptop was lost before it answered', link)
    else {
      this.#isOver = true
      this.#dropCopies()
      // Where the response is whole, all that the client waits for is on its way to it.
      if (this.#responseBody?.isDone) this.#owner.endClient()
      else this.#owner.resetClient()
    }
  }

  #mayRepeat(methods: ReadonlySet<string>): boolean {
    const { method, body, asksUpgrade } = this.request
    return methods.has(method) && body === 0 && !asksUpgrade && !this.#isAnswering
  }

  /** Passes on what is of this response, in as few pieces as there are heads. */
  #follow(chunk: Buffer): boolean {
    let at = 0
    let flushed = true
    while (at < chunk.length) {
      const rest = at === 0 ? chunk : chunk.subarray(at)
      if (this.#responseBody) {
        const taken = this.#responseBody.take(rest)
        if (taken > 0) flushed = this.#toClient(taken === rest.length ? rest : rest.subarray(0, taken))
        at += taken
        if (taken < rest.length) return this.#endedEarly(flushed)
        break
      }
      const head = this.#responseHead.read(rest)
      if (!head) return flushed
      const response = parseResponse(head.bytes, this.request.method)
      if (response.status === 101 && !this.request.asksUpgrade) throw new MessageError('101 that was not asked for')
      at += head.taken
      if (response.isInterim) {
        flushed = this.#toClient(head.bytes)
        continue
      }
      this.#response = response
      if (response.isSwitch) {
        this.#isSwitched = true
        flushed = this.#toClient(head.bytes)
        if (at < chunk.length) flushed = this.#toClient(chunk.subarray(at))
        // What the client sent ahead is the new protocol's.
        this.#owner.setReading(!this.#writesBlocked)
        return flushed
      }
      this.#responseBody = bodyReader(response.body, 'response')
      // The common case: head and body came in one chunk, and leave in one.
      const body = at < chunk.length ? this.#responseBody.take(chunk.subarray(at)) : 0
      at += body
      const whole = head.taken + body === rest.length && head.bytes.length === head.taken
      if (whole) flushed = this.#toClient(rest)
      else {
        flushed = this.#toClient(head.bytes)
        if (body > 0) flushed = this.#toClient(chunk.subarray(at - body, at))
      }
      if (at < chunk.length) return this.#endedEarly(flushed)
    }
    this.#finishIfDone()
    return flushed
  }

  /** More came than the response has: nobody asked for it, and it must not become the next one. */
  #endedEarly(flushed: boolean): boolean {
    const link = this.#link
    link?.reset()
    if (this.#body.isDone) this.#done(this.#response?.isLast === true)
    else {
      this.#isOver = true
      this.#dropCopies()
      this.#owner.endClient()
    }
    return flushed
  }

  #toClient(chunk: Buffer): boolean {
    return this.#link ? this.#owner.toClient(chunk, this.#link) : true
  }

  #finishIfDone(): void {
    if (!this.#responseBody?.isDone || !this.#body.isDone || this.#isOver) return
    this.#done(this.#response?.isLast === true)
  }

  #done(isLast: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    const link = this.#link
    link?.free()
    if (isLast || this.request.isLast || this.#clientEnded) link?.abandon()
    this.#owner.exchangeDone(isLast || this.request.isLast)
  }

  #setBlocked(isBlocked: boolean): void {
    this.#writesBlocked = isBlocked
    this.#owner.setReading(!isBlocked)
  }

  #dropCopies(): void {
    for (const copy of this.#copies) copy.reset()
  }
}
