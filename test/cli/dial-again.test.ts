import { expect, test } from 'vitest'
import { dialAgain } from '../../cli/agent/dial-again.ts'

/** Fails so often, then succeeds. */
function failing(times: number) {
  const counted = {
    dials: 0,
    dial: async () => {
      counted.dials += 1
      if (counted.dials <= times) throw new Error(`failure ${counted.dials}`)
      return 'open'
    },
  }
  return counted
}

const options = { everyMs: 1, forMs: 60_000, signal: new AbortController().signal, again: () => true }

test('dials until one succeeds', async () => {
  const counted = failing(3)
  expect(await dialAgain(counted.dial, options)).toBe('open')
  expect(counted.dials).toBe(4)
})

test('not where no repetition can help', async () => {
  const counted = failing(3)
  const again = (error: unknown) => String(error) !== 'Error: failure 2'
  await expect(dialAgain(counted.dial, { ...options, again })).rejects.toThrow('failure 2')
})

test('not after its time', async () => {
  const counted = failing(Number.POSITIVE_INFINITY)
  await expect(dialAgain(counted.dial, { ...options, forMs: 0 })).rejects.toThrow('failure 1')
  expect(counted.dials).toBe(1)
})

test('not where it is given up, before a dial or between two', async () => {
  const over = new AbortController()
  const counted = failing(Number.POSITIVE_INFINITY)
  const dialled = dialAgain(counted.dial, { ...options, everyMs: 10_000, signal: over.signal })
  await Promise.resolve()
  over.abort()
  await expect(dialled).rejects.toThrow()
  expect(counted.dials).toBe(1)
  await expect(dialAgain(counted.dial, { ...options, signal: over.signal })).rejects.toThrow('failure 2')
})
