import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { passFaultPoint } from '../../../proxy-pod/controller/fault-point.ts'

/** Ends the process, as far as the test is concerned. */
class Ended extends Error {}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'intercept-test-'))
  vi.stubEnv('TMPDIR', folder)
  vi.spyOn(process, 'exit').mockImplementation(() => {
    throw new Ended()
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const addKey = { kind: 'add-key' } as const

test('nothing is armed: nothing happens, nothing is written', () => {
  passFaultPoint([], 'before', addKey)
  passFaultPoint(['after:add-key', 'before:remove-key'], 'before', addKey)
  expect(readdirSync(folder)).toEqual([])
})

test('an armed point ends the process once, and not again after its restart', () => {
  expect(() => passFaultPoint(['before:add-key'], 'before', addKey)).toThrow(Ended)
  passFaultPoint(['before:add-key'], 'before', addKey)
})

test('each point for itself', () => {
  const armed = ['before:add-key', 'after:add-key']
  expect(() => passFaultPoint(armed, 'before', addKey)).toThrow(Ended)
  expect(() => passFaultPoint(armed, 'after', addKey)).toThrow(Ended)
})
