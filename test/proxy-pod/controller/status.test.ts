import { describe, expect, test } from 'vitest'
import { absentMs, leaderStatus, type StatusFacts } from '../../../proxy-pod/controller/status.ts'
import type { InterceptReplica } from '../../../src/resource/intercept.ts'
import { interceptStatus } from '../../../src/resource/schema.ts'
import { interceptOf } from '../support/objects.ts'

const now = '2026-01-01T10:00:02.500Z'

const replica = (uid: string, connected: boolean, lastSeen = '2026-01-01T10:00:01Z'): InterceptReplica => ({
  name: `intercept-proxy-${uid}`,
  uid,
  connected,
  streams: 0,
  bytesIn: 0,
  bytesOut: 0,
  lastSeen,
})

function statusOf(facts: Partial<StatusFacts> & { replicas?: InterceptReplica[] } = {}) {
  const { replicas = [], ...rest } = facts
  const status = leaderStatus({
    intercept: interceptOf({ status: { replicas } }),
    refusal: undefined,
    step: { kind: 'done' },
    error: undefined,
    readyUids: new Set(['a', 'b']),
    now,
    ...rest,
  })
  expect(interceptStatus.parse(status)).toEqual(status)
  return status
}

const conditionsOf = (status: ReturnType<typeof leaderStatus>): Record<string, string> =>
  Object.fromEntries((status.conditions ?? []).map(({ type, status: is }) => [type, is]))

describe('what a person reads', () => {
  test('all is well', () => {
    const status = statusOf({ tookMs: 250, replicas: [replica('a', true), replica('b', true)] })
    expect(status).toMatchObject({ phase: 'Active', connected: '2/2', ports: '80', takeoverMs: 250 })
    expect(status.message).toBeUndefined()
    expect(conditionsOf(status)).toEqual({ Accepted: 'True', TakenOver: 'True', Connected: 'True' })
  })

  test('one tunnel is enough to be active', () => {
    expect(statusOf({ replicas: [replica('a', true)] })).toMatchObject({ phase: 'Active', connected: '1/2' })
  })

  test('what a dead pod last wrote does not count', () => {
    const status = statusOf({ replicas: [replica('dead', true)] })
    expect(status).toMatchObject({ phase: 'Disconnected', connected: '0/2' })
    expect(conditionsOf(status)).toMatchObject({ TakenOver: 'True', Connected: 'False' })
  })

  test('a laptop that was never there', () => {
    expect(statusOf({ replicas: [] })).toMatchObject({ phase: 'Pending', connected: '0/2' })
  })

  test('what it waits for', () => {
    const status = statusOf({ step: { kind: 'wait', for: 'a ready proxy pod' }, readyUids: new Set() })
    expect(status).toMatchObject({ phase: 'TakingOver', message: 'waiting for a ready proxy pod', connected: '0/0' })
    expect(conditionsOf(status)).toMatchObject({ TakenOver: 'False' })
  })

  test('why it was refused, also where the Service happens to be taken over by somebody else', () => {
    const refusal = { reason: 'Conflict', message: 'port 80 is intercepted by bob' } as const
    const status = statusOf({ refusal, replicas: [replica('a', true)] })
    expect(status).toMatchObject({ phase: 'Failed', message: 'port 80 is intercepted by bob' })
    expect(conditionsOf(status)).toMatchObject({ Accepted: 'False', TakenOver: 'False' })
    expect(status.conditions?.[0]).toMatchObject({ reason: 'Conflict', message: 'port 80 is intercepted by bob' })
  })

  test('why TLS passes unseen', () => {
    const tlsTrouble = { reason: 'Forbidden', message: 'the proxy pods may not read Secret shop/orders-tls' } as const
    const intercept = interceptOf({ spec: { tls: { secretName: 'orders-tls', toLocal: false } } })
    const status = statusOf({ intercept, tlsTrouble })
    expect(status.message).toBe(tlsTrouble.message)
    expect(status.conditions?.at(-1)).toMatchObject({ type: 'TlsReady', status: 'False', ...tlsTrouble })
    expect(conditionsOf(statusOf({ intercept }))).toMatchObject({ TlsReady: 'True' })
  })

  test('what went wrong', () => {
    const status = statusOf({ step: { kind: 'add-key' }, error: 'User x may not patch services' })
    expect(status).toMatchObject({ phase: 'TakingOver', message: 'User x may not patch services' })
  })

  test('a Service that is not there yet', () => {
    expect(statusOf({ step: undefined })).toMatchObject({ phase: 'Pending' })
  })
})

describe('what is written stays as it is while nothing changes', () => {
  test('a condition keeps the time at which it came true', () => {
    const first = statusOf({ replicas: [replica('a', true)] })
    const second = leaderStatus({
      intercept: interceptOf({ status: { ...first, replicas: [replica('a', true)] } }),
      refusal: undefined,
      step: { kind: 'done' },
      error: undefined,
      readyUids: new Set(['a', 'b']),
      now: '2026-01-01T11:00:00Z',
    })
    expect(second).toEqual(first)
  })

  test('and changes it when it turns', () => {
    const first = statusOf({ tookMs: 250, replicas: [replica('a', true)] })
    const later = '2026-01-01T11:00:00Z'
    const second = leaderStatus({
      intercept: interceptOf({ status: { ...first, replicas: [replica('a', false)] } }),
      refusal: undefined,
      step: { kind: 'done' },
      error: undefined,
      readyUids: new Set(['a', 'b']),
      now: later,
    })
    const connected = second.conditions?.find(({ type }) => type === 'Connected')
    expect(connected).toMatchObject({ status: 'False', lastTransitionTime: later })
    expect(second.takeoverMs).toBe(250)
  })
})

describe('how long a laptop has been gone', () => {
  const at = (time: string): number => Date.parse(time)
  const ready = new Set(['a', 'b'])

  test('not at all while one living replica has it', () => {
    const intercept = interceptOf({ status: { replicas: [replica('a', false), replica('b', true)] } })
    expect(absentMs(intercept, ready, at('2026-01-02T00:00:00Z'))).toBe(0)
  })

  test('since it was last seen by anybody', () => {
    const replicas = [replica('a', false, '2026-01-01T10:05:00Z'), replica('b', false, '2026-01-01T10:09:00Z')]
    expect(absentMs(interceptOf({ status: { replicas } }), ready, at('2026-01-01T10:10:00Z'))).toBe(60_000)
  })

  test('since the Intercept was made where it never came', () => {
    expect(absentMs(interceptOf(), ready, at('2026-01-01T10:00:30Z'))).toBe(30_000)
  })

  test('since a replica that died last wrote, which thought it connected', () => {
    const replicas = [replica('dead', true, '2026-01-01T10:05:00Z')]
    expect(absentMs(interceptOf({ status: { replicas } }), ready, at('2026-01-01T10:06:00Z'))).toBe(60_000)
  })

  test('never less than nothing', () => {
    expect(absentMs(interceptOf(), ready, at('2025-01-01T00:00:00Z'))).toBe(0)
  })
})
