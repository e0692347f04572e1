import { expect, test } from 'vitest'
import { Copies } from '../../../proxy-pod/dataplane/copies.ts'

test('there are no more copies at once than allowed', () => {
  const copies = new Copies(2)
  const first = copies.take('shop/ada')
  expect(copies.take('shop/bob')).toBeDefined()
  expect(copies.take('shop/ada')).toBeUndefined()
  first?.giveBack()
  expect(copies.take('shop/ada')).toBeDefined()
})

test('a laptop that refused rests for a second; the others go on, and its place is free', () => {
  let now = 0
  const copies = new Copies(1, () => now)
  copies.take('shop/ada')?.refused()
  expect(copies.take('shop/ada')).toBeUndefined()
  copies.take('shop/bob')?.giveBack()
  now = 999
  expect(copies.take('shop/ada')).toBeUndefined()
  now = 1_000
  copies.take('shop/ada')?.refused()
  expect(copies.take('shop/ada')).toBeUndefined()
})
