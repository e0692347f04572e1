import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { childEnd, endChild, startChild } from '../../cli/agent/child-command.ts'

/** As long as it takes to look whether the local port answers. */
const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100))

describe('the command after --', () => {
  test('that does not exist is told, also where one looks late', async () => {
    const child = startChild(['/nonexistent/command'])
    await later()
    await expect(childEnd(child)).rejects.toMatchObject({ code: 'command-not-started' })
    await endChild(child)
  })

  test.each([0, 3])('ends us with its own exit code, also where it ended before one looked: %i', async (code) => {
    const child = startChild([process.execPath, '-e', `process.exit(${code})`])
    await new Promise((resolve) => child.once('exit', resolve))
    expect(await childEnd(child)).toBe(code)
  })

  test('that is killed ends us with 128 and its number', async () => {
    const child = startChild([process.execPath, '-e', 'setInterval(() => {}, 1000)'])
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(await childEnd(child)).toBe(137)
  })

  test('is ended with us', async () => {
    const child = startChild([process.execPath, '-e', 'setInterval(() => {}, 1000)'])
    const ended = childEnd(child)
    await endChild(child)
    expect(child.signalCode).toBe('SIGTERM')
    expect(await ended).toBe(143)
  })

  test.skipIf(process.platform !== 'linux')(
    'is ended with us, also where it is stopped and does not want to',
    async () => {
      const child = startChild(['sh', '-c', "trap '' TERM; kill -STOP $$; exec sleep 1000"])
      const stopped = (): boolean => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')[2] === 'T'
      while (!stopped()) await later()
      await endChild(child)
      expect(child.signalCode).toBe('SIGKILL')
    },
  )
})
