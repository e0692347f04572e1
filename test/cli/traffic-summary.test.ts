import { expect, test } from 'vitest'
import { TrafficSummary } from '../../cli/agent/traffic-summary.ts'

const quiet = { bytes: { in: 0, out: 0 }, roundTripMs: undefined, connected: ['p-0'] }
const exchange = { method: 'GET', target: '/orders', status: 200, milliseconds: 12.4 }

test('nothing yet', () => {
  expect(new TrafficSummary().line(quiet)).toBe('0 connections · 0 open · 0 B in, 0 B out')
})

test('connections of any protocol, then requests once there are some', () => {
  const summary = new TrafficSummary()
  summary.connection()
  summary.connection()
  summary.closed()
  expect(summary.line({ ...quiet, roundTripMs: 21.3, bytes: { in: 1_200, out: 3_400_000 } })).toBe(
    '2 connections · 1 open · 1.2 kB in, 3.4 MB out · 21 ms to the cluster',
  )
  summary.exchange(exchange)
  expect(summary.line(quiet)).toBe('1 requests · 1 open · 0 B in, 0 B out · GET /orders 200 12 ms')
})

test('says when no proxy pod is connected', () => {
  expect(new TrafficSummary().line({ ...quiet, connected: [] })).toContain('disconnected')
})

test('a local process that is down is told once, and again after it was up', () => {
  const summary = new TrafficSummary()
  expect([summary.localDown(), summary.localDown()]).toEqual([true, false])
  summary.connection()
  expect(summary.localDown()).toBe(true)
})
