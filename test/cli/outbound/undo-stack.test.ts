import { expect, test } from 'vitest'
import { UndoStack } from '../../../cli/outbound/undo-stack.ts'

test('steps are taken back in the opposite order, once', async () => {
  const taken: string[] = []
  const undo = new UndoStack()
  for (const name of ['a', 'b']) undo.push(async () => void taken.push(name))
  await undo.unwind()
  await undo.unwind()
  expect(taken).toEqual(['b', 'a'])
})

test('a step that fails does not keep the others; what failed is told', async () => {
  const taken: string[] = []
  const undo = new UndoStack()
  const fail = async (): Promise<void> => {
    throw new Error('busy')
  }
  undo.push(async () => void taken.push('a'))
  undo.push(fail)
  await expect(undo.unwind()).rejects.toThrow('busy')
  undo.push(fail)
  undo.push(async () => void taken.push('b'))
  undo.push(fail)
  await expect(undo.unwind()).rejects.toMatchObject({ errors: [{ message: 'busy' }, { message: 'busy' }] })
  expect(taken).toEqual(['a', 'b'])
})
