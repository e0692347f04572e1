import type { InterceptError } from '../errors.ts'
import { TunnelError } from './error.ts'
import { Lane, type LaneOwner } from './lane.ts'
import type { TunnelLimits } from './limits.ts'
import type { MuxStream } from './stream.ts'
import type { GoAway } from './stream-json.ts'
import { TunnelTotals } from './totals.ts'
import type { StreamHeader, Tunnel, TunnelEvents, TunnelState, TunnelStats, TunnelStream } from './types.ts'

export interface TunnelCoreOptions {
  readonly id: string
  readonly side: 'client' | 'server'
  readonly limits: TunnelLimits
  readonly events: TunnelEvents
  /** A lane has no carrier any more: the client's dials again. */
  onLaneDown(lane: Lane): void
  onClosed(): void
}

/** Bytes of load that do not count when lanes are compared, so that small traffic spreads by streams. */
const loadStepBytes = 64 * 1_024

/** What both ends of a tunnel have in common: lanes, state, and how it ends. */
export class TunnelCore implements Tunnel, LaneOwner {
  readonly id: string
  readonly side: 'client' | 'server'
  readonly limits: TunnelLimits
  readonly totals = new TunnelTotals()
  readonly lanes = new Map<number, Lane>()
  readonly #options: TunnelCoreOptions
  #state: TunnelState = 'connecting'
  #downSince = performance.now()
  #graceTimer: NodeJS.Timeout | undefined
  #draining: 'no' | 'ours' | 'theirs' = 'no'
  #whenIdle: (() => void)[] = []
  #lastError: InterceptError | undefined

  constructor(options: TunnelCoreOptions) {
    this.id = options.id
    this.side = options.side
    this.limits = options.limits
    this.#options = options
    this.#startGrace()
  }

  get state(): TunnelState {
    return this.#state
  }

  get stats(): TunnelStats {
    const { streams, bytesIn, bytesOut } = this.totals
    const times = [...this.lanes.values()].flatMap((lane) => (lane.up ? (lane.roundTripMs ?? []) : []))
    return { streams, bytesIn, bytesOut, roundTripMs: times.length > 0 ? Math.min(...times) : undefined }
  }

  lane(index: number): Lane {
    const lane = this.lanes.get(index) ?? new Lane(index, this)
    this.lanes.set(index, lane)
    return lane
  }

  open(header: StreamHeader): TunnelStream {
    if (this.#state !== 'up') throw new TunnelError('tunnel-down', `the tunnel is ${this.#state}`)
    if (this.#draining !== 'no') throw new TunnelError('tunnel-draining', 'the tunnel is closing')
    const lane = laneFor(
      [...this.lanes.values()].filter(({ up }) => up),
      this.limits.nearMs,
    )
    if (!lane) throw new TunnelError('tunnel-down', 'no lane is up')
    return lane.open(header)
  }

  async close(how: 'drain' | 'now', reason = 'closed'): Promise<void> {
    if (how === 'drain') await this.#drain(reason)
    if (this.#state === 'closed') return
    const lanes = [...this.lanes.values()]
    this.#end('tunnel-closed', reason)
    for (const lane of lanes) lane.goAway({ how: 'now', reason })
    await this.#heard(lanes)
    for (const lane of lanes) lane.lose('tunnel-closed', 1_000)
  }

  /** Over, and the peer is not told: it knows, or cannot be reached. */
  abandon(code: string, reason: string, error?: InterceptError): void {
    if (this.#state === 'closed') return
    this.#lastError = error ?? this.#lastError
    this.#end(code, reason)
    for (const lane of this.lanes.values()) lane.lose(code, 1_000)
  }

  /** A dial failed and will be repeated. */
  onDialFailed(error: InterceptError): void {
    this.#lastError = error
    if (this.#state === 'connecting') this.#tell('connecting', { reason: error.message, error })
  }

  onStream(stream: MuxStream): void {
    if (this.#draining === 'ours' || this.#state === 'closed') stream.refuse('tunnel-draining', 'the tunnel is closing')
    else this.#options.events.onStream(stream)
  }

  onStreamOver(): void {
    if (this.totals.streams > 0 || this.#whenIdle.length === 0) return
    const idle = this.#whenIdle
    this.#whenIdle = []
    for (const resolve of idle) resolve()
  }

  onGoAway({ how, reason }: GoAway): void {
    if (how === 'now') this.abandon('tunnel-closed', reason)
    else if (this.#draining === 'no') {
      this.#draining = 'theirs'
      this.#options.events.onDraining?.(reason)
    }
  }

  onLaneUp(_lane: Lane): void {
    if (this.#state === 'up' || this.#state === 'closed') return
    clearTimeout(this.#graceTimer)
    const wasDown = this.#state === 'down'
    this.#state = 'up'
    this.#lastError = undefined
    this.#tell('up', wasDown ? { downMs: Math.round(performance.now() - this.#downSince) } : {})
  }

  onLaneDown(lane: Lane, reason: string): void {
    this.#refresh(reason)
    if (this.#state !== 'closed') this.#options.onLaneDown(lane)
  }

  onLaneLost(lane: Lane, error: TunnelError | undefined): void {
    if (error) this.#lastError = error
    this.#refresh(error?.message ?? 'the session was not resumed in time')
    if (this.side === 'server') this.lanes.delete(lane.index)
    if (this.#state === 'closed') return
    if (this.lanes.size === 0) this.abandon('session-lost', 'no session is left')
    else if (error) this.#options.onLaneDown(lane)
  }

  #refresh(reason: string): void {
    if (this.#state !== 'up' || [...this.lanes.values()].some((lane) => lane.up)) return
    this.#state = 'down'
    this.#downSince = performance.now()
    this.#startGrace()
    this.#tell('down', { reason })
  }

  #startGrace(): void {
    this.#graceTimer = setTimeout(() => {
      const { graceMs } = this.limits
      const why = this.#lastError ? `: ${this.#lastError.message}` : ''
      if (this.#state === 'connecting') this.abandon('connect-timeout', `could not connect in ${graceMs} ms${why}`)
      else this.abandon('session-lost', `no carrier for ${graceMs} ms${why}`)
    }, this.limits.graceMs)
  }

  async #drain(reason: string): Promise<void> {
    if (this.#state === 'closed' || this.#draining === 'ours') return
    this.#draining = 'ours'
    for (const lane of this.lanes.values()) lane.goAway({ how: 'drain', reason })
    if (this.totals.streams > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    await Promise.all([...this.lanes.values()].map((lane) => lane.acknowledged(false)))
  }

  /** Waits, but not for long, until the peer knows what we said last. */
  async #heard(lanes: readonly Lane[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.limits.closeMs)
    })
    await Promise.race([Promise.all(lanes.map((lane) => lane.acknowledged(true))), late])
    clearTimeout(timer)
  }

  /** Streams are reset, the state is final; carriers are still there for the caller to end. */
  #end(code: string, reason: string): void {
    this.#state = 'closed'
    clearTimeout(this.#graceTimer)
    for (const lane of this.lanes.values()) lane.resetStreams(code)
    this.onStreamOver()
    this.#options.onClosed()
    this.#tell('closed', this.#lastError ? { reason, error: this.#lastError } : { reason })
  }

  #tell(state: TunnelState, detail: Parameters<TunnelEvents['onState']>[1]): void {
    this.#options.events.onState(state, detail)
  }
}

/**
 * The lane for a new stream: the least loaded, so that bulk and small traffic part. On a near link (where a packet is
 * hardly ever lost, and what a request costs is our own time) small traffic stays together instead: one write for many.
 */
function laneFor(lanes: readonly Lane[], nearMs: number): Lane | undefined {
  const near = lanes.find(({ load, roundTripMs }) => load < loadStepBytes && (roundTripMs ?? nearMs) < nearMs)
  return near ?? lanes.reduce<Lane | undefined>((best, lane) => (best && !lighter(lane, best) ? best : lane), undefined)
}

function lighter(one: Lane, other: Lane): boolean {
  const difference = Math.floor(one.load / loadStepBytes) - Math.floor(other.load / loadStepBytes)
  return difference === 0 ? one.streams < other.streams : difference < 0
}
