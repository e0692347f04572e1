import { expect, test } from 'vitest'
import { ToldLately } from '../../../cli/outbound/told-lately.ts'

test('the same is news once a minute, and much of it is forgotten', () => {
  let now = 0
  const told = new ToldLately(() => now)
  expect(['a', 'a', 'b'].map((line) => told.isNews(line))).toEqual([true, false, true])
  now = 59_999
  expect(told.isNews('a')).toBe(false)
  now = 60_000
  expect([told.isNews('a'), told.isNews('a')]).toEqual([true, false])
  for (let index = 0; index < 1_000; index += 1) told.isNews(String(index))
  expect(told.isNews('a')).toBe(true)
})
