import { writeSync } from 'node:fs'
import { inspect } from 'node:util'
import type { ToKeeper } from '../protocol.ts'
import { Keeper, type Send } from './keeper.ts'

/** Started by the command line within the namespaces of a twin, with a channel to it. */
const send: Send = (message, handle, sent) => {
  if (!process.connected) return
  process.send?.(message, handle, {}, (error) => {
    if (!error) sent?.()
  })
}
// Node's own end would wait for ever for the thread that reads the packet queue.
process.on('uncaughtException', (error) => {
  writeSync(2, inspect(error))
  process.kill(process.pid, 'SIGKILL')
})
const keeper = new Keeper(send)
// What a terminal sends to all is for the program; the command line tells us the rest.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => undefined)
process.on('message', (message: ToKeeper) => void keeper.receive(message))
process.on('disconnect', () => void keeper.end())
