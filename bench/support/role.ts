import type { Server } from 'node:net'

/** What a process has used since it began. Bytes; CPU in microseconds, user and system together. */
export interface Usage {
  readonly heapBytes: number
  readonly externalBytes: number
  readonly residentBytes: number
  readonly cpuMicros: number
}

/** What a role's process tells its parent when it is ready, and when it is asked for its usage. */
export type RoleMessage = { readonly port: number } | { readonly usage: Usage }

export function announce(message: RoleMessage): void {
  process.send?.(message)
}

export function portOf(server: Server): number {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('not listening')
  return address.port
}

process.on('message', (message) => {
  if (message === 'exit') process.exit(0)
  if (message !== 'usage') return
  if (process.execArgv.includes('--expose-gc')) for (let pass = 0; pass < 3; pass += 1) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  announce({ usage: { heapBytes: heapUsed, externalBytes: external, residentBytes: rss, cpuMicros: user + system } })
})
