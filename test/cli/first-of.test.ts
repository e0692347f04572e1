import { stat } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { firstOf } from '../../cli/agent/first-of.ts'

/** A dial whose end a test decides. */
class Dial {
  signal: AbortSignal | undefined
  succeed!: (value: string) => void
  fail!: (error: Error) => void

  readonly begin = (signal: AbortSignal): Promise<string> => {
    this.signal = signal
    return new Promise((resolve, reject) => {
      this.succeed = resolve
      this.fail = reject
    })
  }
}

let first: Dial
let second: Dial
let over: AbortController
let discarded: string[]
beforeEach(() => {
  vi.useFakeTimers()
  first = new Dial()
  second = new Dial()
  over = new AbortController()
  discarded = []
})
afterEach(() => vi.useRealTimers())

const race = () =>
  firstOf([first.begin, second.begin], {
    headStartMs: 300,
    signal: over.signal,
    discard: (late) => discarded.push(late),
  })

test('the second is not begun where the first needs less than its head start', async () => {
  const found = race()
  vi.advanceTimersByTime(299)
  first.succeed('a')
  expect(await found).toEqual({ index: 0, value: 'a' })
  vi.advanceTimersByTime(1_000)
  expect(second.signal).toBeUndefined()
  expect(vi.getTimerCount()).toBe(0)
})

test('a moment in which this process can do nothing costs a step of the head start, not all of it', async () => {
  vi.useRealTimers()
  const found = race()
  // The answer comes while nobody can hear it: an event of the poll phase, as what a socket brings.
  stat('.', () => first.succeed('a'))
  const until = performance.now() + 500
  while (performance.now() < until);
  expect(await found).toEqual({ index: 0, value: 'a' })
  expect(second.signal).toBeUndefined()
})

test('then it is begun beside it; the one that loses is given up, and what it brings is discarded', async () => {
  const found = race()
  vi.advanceTimersByTime(300)
  second.succeed('b')
  expect(await found).toEqual({ index: 1, value: 'b' })
  expect(first.signal?.aborted).toBe(true)
  first.succeed('late')
  await vi.waitFor(() => expect(discarded).toEqual(['late']))
})

test('the first may still win after its head start', async () => {
  const found = race()
  vi.advanceTimersByTime(300)
  first.succeed('a')
  expect(await found).toEqual({ index: 0, value: 'a' })
  expect(second.signal?.aborted).toBe(true)
  second.fail(new Error('given up'))
})

test('a failure of the first ends its head start', async () => {
  const found = race()
  first.fail(new Error('refused'))
  await vi.waitFor(() => expect(second.signal).toBeDefined())
  second.succeed('b')
  expect(await found).toEqual({ index: 1, value: 'b' })
})

test('where the second fails first, the first is waited for', async () => {
  const found = race()
  vi.advanceTimersByTime(300)
  second.fail(new Error('forbidden'))
  await Promise.resolve()
  first.succeed('a')
  expect(await found).toEqual({ index: 0, value: 'a' })
})

test('each one’s error, in order, where all fail', async () => {
  const found = race()
  vi.advanceTimersByTime(300)
  second.fail(new Error('second'))
  first.fail(new Error('first'))
  await expect(found).rejects.toMatchObject({ errors: [{ message: 'first' }, { message: 'second' }] })
})

test('given up as a whole, nothing more is begun', async () => {
  const found = race()
  over.abort()
  expect(first.signal?.aborted).toBe(true)
  first.fail(new Error('given up'))
  await expect(found).rejects.toBeInstanceOf(AggregateError)
  expect(second.signal).toBeUndefined()
  expect(vi.getTimerCount()).toBe(0)
})

test('nothing to dial', async () => {
  const none = firstOf([], { headStartMs: 1, signal: over.signal, discard: () => undefined })
  await expect(none).rejects.toMatchObject({ errors: [] })
})
