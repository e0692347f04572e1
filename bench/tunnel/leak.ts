import { connect } from 'node:net'
import type { RoleProcess } from '../support/processes.ts'
import type { Usage } from '../support/role.ts'

const request = Buffer.from('GET / HTTP/1.1\r\nHost: orders\r\n\r\n')
const streams = 100_000
const atOnce = 64
/** What a heap may differ by from one collection to the next. */
const noiseBytes = 1_000_000

/** Opens and closes 100,000 streams, one connection each; throws where a heap has grown. */
export async function measureLeak(
  port: number,
  roles: Readonly<Record<string, RoleProcess>>,
  json: boolean,
): Promise<void> {
  const usage = async () => {
    const entries = Object.entries(roles).map(
      async ([name, role]): Promise<[string, Usage]> => [name, await role.usage()],
    )
    return Object.fromEntries(await Promise.all(entries))
  }
  await cycle(port, 5_000)
  const before = await usage()
  await cycle(port, streams)
  const after = await usage()
  if (json) console.log(JSON.stringify({ streams, before, after }))
  for (const name of Object.keys(roles)) {
    const [was, is] = [before[name], after[name]]
    if (!was || !is) continue
    const grown = is.heapBytes + is.externalBytes - was.heapBytes - was.externalBytes
    if (!json) console.log(`${name}: ${mebibytes(was)} before, ${mebibytes(is)} after ${streams} streams`)
    if (grown > noiseBytes) throw new Error(`${name} keeps ${grown} bytes of ${streams} closed streams`)
  }
}

function mebibytes({ heapBytes, externalBytes, residentBytes }: Usage): string {
  const text = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  return `heap ${text(heapBytes)} + ${text(externalBytes)} MiB, resident ${text(residentBytes)} MiB`
}

async function cycle(port: number, count: number): Promise<void> {
  let left = count
  const worker = async () => {
    while (left > 0) {
      left -= 1
      await once(port, left % 3)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** One connection with one request, then half-closed by us, closed, or reset. */
function once(port: number, ending: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('connect', () => socket.write(request))
    socket.on('data', () => {
      if (ending === 0) socket.end()
      else if (ending === 1) socket.destroy()
      else socket.resetAndDestroy()
    })
  })
}
