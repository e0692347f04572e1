import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { checkLocalPorts } from '../../cli/agent/local-ports.ts'
import { dialLocal } from '../../cli/agent/local-process.ts'
import { freePorts } from '../../cli/demo/cluster/network/free-port.ts'
import { Ui } from '../../cli/ui/ui.ts'
import { Output } from './support/output.ts'

const never = new AbortController().signal
const forever = 60_000

function shown() {
  const out = new Output({ columns: 80 })
  return { out, ui: new Ui('json', out, new Output()) }
}

/** A port on which nothing listens. */
const freePort = async (): Promise<number> => (await freePorts('127.0.0.1', 1))[0] ?? 0

const command = (ended: Promise<number>) => ({ dial: dialLocal, ended })

describe('while a local port is waited for', () => {
  test('a command that ends ends the wait, with its exit code', async () => {
    const { ui, out } = shown()
    const port = await freePort()
    let end: (code: number) => void = () => undefined
    const ended = new Promise<number>((resolve) => {
      end = resolve
    })
    const check = checkLocalPorts(ui, [port], forever, command(ended), never)
    await expect.poll(() => out.text).toContain(`"event":"waiting","for":"localhost:${port}"`)
    end(3)
    expect(await check).toBe(3)
    expect(out.text).toContain('"code":"command-ended"')
  })

  test('a command that cannot be started says why', async () => {
    const failed = Promise.reject(new Error('no such program'))
    const check = checkLocalPorts(shown().ui, [await freePort()], forever, command(failed), never)
    await expect(check).rejects.toThrow('no such program')
  })

  test('the wait is over when something listens', async () => {
    const { ui, out } = shown()
    const port = await freePort()
    const check = checkLocalPorts(ui, [port], forever, command(new Promise(() => undefined)), never)
    await expect.poll(() => out.text).toContain('"event":"waiting"')
    const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1')
    expect(await check).toBeUndefined()
    server.close()
    expect(out.text.match(/"waiting"/g)).toHaveLength(1)
  })

  test('an interruption ends it, also where it ended the command', async () => {
    const reason = new Error('interrupted')
    const check = checkLocalPorts(
      shown().ui,
      [await freePort()],
      forever,
      command(Promise.resolve(130)),
      AbortSignal.abort(reason),
    )
    await expect(check).rejects.toBe(reason)
  })

  test('it is in vain after its time', async () => {
    const check = checkLocalPorts(shown().ui, [await freePort()], 1, undefined, never)
    await expect(check).rejects.toMatchObject({ code: 'local-port-closed' })
  })
})

test('without a wait a command may still be on its way', async () => {
  const { ui, out } = shown()
  expect(await checkLocalPorts(ui, [await freePort()], undefined, command(Promise.resolve(0)), never)).toBeUndefined()
  expect(out.text).toBe('')
})
