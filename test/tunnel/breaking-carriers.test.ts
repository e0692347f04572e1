import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tunnel } from '../../src/tunnel/index.ts'
import { TunnelCore } from '../../src/tunnel/tunnel-core.ts'
import { turn, turns } from './support/bytes.ts'
import { type End, ModelEnd, otherEnd, type Step, steps } from './support/model.ts'
import { type Side, tunnelPair } from './support/tunnel-pair.ts'

const limits = {
  lanes: 2,
  streamWindowBytes: 20_000,
  maxStreamWindowBytes: 60_000,
  windowPoolBytes: 80_000,
  replayBytes: 100_000,
  minInFlightBytes: 10_000,
  initialInFlightBytes: 30_000,
  graceMs: 20_000,
  pingMs: 5_000,
  deadMs: 10_000,
  backoffMinMs: 1,
  backoffMaxMs: 3,
}

/** Bytes that a lane may have under way: the flight's limit, one packet and the control frames above it. */
const mostInFlight = limits.replayBytes + 200_000

async function play(script: readonly Step[], mayBreak: boolean): Promise<string> {
  const pair = await tunnelPair({ limits })
  await pair.client.became('up')
  const sides: Record<End, Side> = { client: pair.client, server: await pair.server }
  const streams: Record<End, ModelEnd>[] = []
  const arrived: Record<End, Map<number, ModelEnd>> = { client: new Map(), server: new Map() }
  for (const end of ['client', 'server'] as const) {
    sides[end].onStream = (stream) => {
      const index = Number(stream.header.index)
      arrived[end].set(index, new ModelEnd(stream, index, end))
      stream.accept()
    }
  }
  for (const step of script) {
    if (step.do === 'turn') await turns(step.turns)
    else if (step.do === 'break') {
      if (mayBreak) for (const carrier of pair.carriers) carrier.break(step.arrive)
    } else if (step.do === 'open') await open(step.by)
    else apply(step)
    checkBounds(pair.client.tunnel)
  }
  await settle()
  const outcome = describeAll()
  await pair.close()
  return outcome

  async function open(by: End): Promise<void> {
    if (streams.length > 7) return
    while (sides[by].tunnel.state !== 'up') await turn()
    const index = streams.length
    const mine = new ModelEnd(sides[by].tunnel.open({ index }), index, by)
    while (!arrived[otherEnd(by)].has(index)) await turn()
    const theirs = arrived[otherEnd(by)].get(index) as ModelEnd
    streams.push(by === 'client' ? { client: mine, server: theirs } : { client: theirs, server: mine })
  }

  function apply(step: Extract<Step, { stream: number }>): void {
    const end = streams[step.stream]?.[step.by]
    if (!end) return
    if (step.do === 'write') end.write(step.bytes)
    else end[step.do]()
  }

  /** Ends what is open, releases what is held, waits until nothing is left. */
  async function settle(): Promise<void> {
    for (const { client, server } of streams) {
      client.release()
      server.release()
      client.end()
      server.end()
    }
    while (sides.client.tunnel.stats.streams + sides.server.tunnel.stats.streams > 0) await turn()
  }

  function checkBounds(tunnel: Tunnel): void {
    const { lanes, totals } = tunnel as TunnelCore
    expect(tunnel).toBeInstanceOf(TunnelCore)
    expect(totals.grownBytes).toBeLessThanOrEqual(limits.windowPoolBytes)
    const held = streams.reduce((sum, { client }) => sum + client.mostHeld, 0)
    expect(held).toBeLessThanOrEqual(streams.length * limits.streamWindowBytes + limits.windowPoolBytes)
    for (const lane of lanes.values()) expect(lane.inFlightBytes).toBeLessThanOrEqual(mostInFlight)
  }

  function describeAll(): string {
    return streams
      .map((ends, index) => {
        for (const end of ['client', 'server'] as const) check(ends[end], ends[otherEnd(end)])
        const killed = ends.client.over || ends.server.over
        return `${index}: ${killed ? 'reset' : `${ends.client.received} ${ends.server.received}`}`
      })
      .join('\n')
  }

  function check(end: ModelEnd, peer: ModelEnd): void {
    expect(end.faults).toEqual([])
    expect(end.resetSeen).toBeLessThanOrEqual(1)
    expect(end.endSeen).toBeLessThanOrEqual(1)
    expect(end.received).toBeLessThanOrEqual(peer.sent)
    const complete = peer.endedByUs && peer.endSeen === 1
    if (end.resetByUs && !peer.resetByUs && !complete) expect(peer.resetSeen).toBe(1)
    if (end.over || peer.over) return
    expect(end.received).toBe(peer.sent)
    expect(end.endSeen).toBe(1)
  }
}

describe('two endpoints over carriers that break', () => {
  it('see what they would see over perfect ones: bytes, order, half-close, reset; memory stays bounded', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const withoutReset = script.filter((step) => step.do !== 'reset')
        expect(await play(withoutReset, true)).toBe(await play(withoutReset, false))
        await play(script, true)
      }),
      { numRuns: 100 },
    )
  }, 20_000)
})
