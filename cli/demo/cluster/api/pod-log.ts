import { createReadStream, watch } from 'node:fs'
import { open } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { isTrue } from './request-info.ts'

/** Sends the log file of a container: all, `tailLines` of it, with `follow` also what is written while `running()`. */
export async function servePodLog(
  file: string,
  query: URLSearchParams,
  running: () => boolean,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' })
  const tail = query.get('tailLines')
  let at = tail === null ? 0 : await startOfTail(file, Number(tail))
  const copy = () =>
    new Promise<void>((resolve) => {
      const stream = createReadStream(file, { start: at })
      stream.on('data', (chunk) => {
        at += chunk.length
        if (!response.write(chunk)) {
          stream.pause()
          response.once('drain', () => stream.resume())
        }
      })
      stream.on('close', resolve)
      stream.on('error', () => resolve())
    })
  await copy()
  if (!isTrue(query.get('follow'))) {
    response.end()
    return
  }
  let copying = false
  const more = async () => {
    if (copying) return
    copying = true
    await copy()
    copying = false
    if (!running()) response.end()
  }
  const watcher = watch(file, () => void more())
  const poll = setInterval(() => void more(), 500).unref()
  response.on('close', () => {
    watcher.close()
    clearInterval(poll)
  })
}

async function startOfTail(file: string, lines: number): Promise<number> {
  const handle = await open(file)
  try {
    const text = await handle.readFile()
    let at = text.length
    for (let found = 0; at > 0; at -= 1) {
      if (text[at - 1] !== 0x0a || at === text.length) continue
      found += 1
      if (found === lines) return at
    }
    return lines === 0 ? text.length : 0
  } finally {
    await handle.close()
  }
}
