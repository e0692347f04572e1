import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import type { At } from './caller-http.ts'

function open({ host, port }: At): { socket: Socket; line(): Promise<string>; ended: Promise<'end' | 'reset'> } {
  const socket = connect({ host, port, allowHalfOpen: true })
  let text = ''
  let over = false
  const waiting: (() => void)[] = []
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    wake()
  })
  const ended = new Promise<'end' | 'reset'>((resolve) => {
    socket.on('end', () => resolve('end'))
    socket.on('error', () => resolve('reset'))
  })
  void ended.then(() => {
    over = true
    wake()
  })
  const line = async (): Promise<string> => {
    for (;;) {
      const end = text.indexOf('\n')
      if (end >= 0) {
        const found = text.slice(0, end)
        text = text.slice(end + 1)
        return found
      }
      if (over) throw new Error('connection ended before a line came')
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  return { socket, line, ended }
}

/** Reads the greeting, sends lines, reads an answer for each, half-closes, reads the farewell. */
export async function rawLines(
  input: At & { lines: string[] },
): Promise<{ greeting: string; answers: string[]; farewell: string; end: string }> {
  const { socket, line, ended } = open(input)
  const greeting = await line()
  const answers: string[] = []
  for (const text of input.lines) {
    socket.write(`${text}\n`)
    answers.push(await line())
  }
  socket.end()
  const farewell = await line()
  return { greeting, answers, farewell, end: await ended }
}

/** Half-close by the server first, or a reset by either side. */
export async function rawReset(
  input: At & { by: 'server' | 'client' | 'server-half-close' },
): Promise<{ greeting: string; end: string; after?: string }> {
  const { socket, line, ended } = open(input)
  const greeting = await line()
  if (input.by === 'server') {
    socket.write('reset\n')
    return { greeting, end: await ended }
  }
  if (input.by === 'client') {
    socket.resetAndDestroy()
    return { greeting, end: 'reset' }
  }
  socket.write('close-mine\n')
  const after = await line()
  const end = await ended
  // Our direction is still open: the server reads it to its end.
  socket.end('more\n')
  return { greeting, end, after }
}

/** Sends bytes to the sink and compares what it says it got. */
export async function rawSink(input: At & { bytes: number }): Promise<string> {
  const { socket, line } = open(input)
  await line()
  socket.write('sink\n')
  const block = Buffer.alloc(65_536, 7)
  for (let left = input.bytes; left > 0; left -= block.length) {
    if (!socket.write(left >= block.length ? block : block.subarray(0, left)))
      await new Promise((resolve) => socket.once('drain', resolve))
  }
  socket.end()
  return line()
}

export function udpCall(input: At & { text: string; timeoutMs?: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    const timer = setTimeout(() => {
      socket.close()
      reject(new Error('no datagram came back'))
    }, input.timeoutMs ?? 3_000)
    socket.on('message', (datagram) => {
      clearTimeout(timer)
      socket.close()
      resolve(datagram.toString())
    })
    socket.send(input.text, input.port, input.host)
  })
}
