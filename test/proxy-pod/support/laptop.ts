import { onTestFinished } from 'vitest'
import { Agent, type AgentEvents } from '../../../cli/agent/agent.ts'
import type { Tunnel } from '../../../src/tunnel/index.ts'
import { tunnelPair } from '../../tunnel/support/tunnel-pair.ts'

const silent: AgentEvents = {
  onConnection: () => undefined,
  onClosed: () => undefined,
  onExchange: () => undefined,
  onLocalDown: () => undefined,
}

/**
 * A laptop behind a real tunnel over carriers in memory.
 * @param holdMs how long a connection waits for a local process that is down
 * @returns the proxy pod's end of the tunnel
 */
export async function laptop(localPort: number, events: Partial<AgentEvents> = {}, holdMs = 0): Promise<Tunnel> {
  const pair = await tunnelPair({ limits: { lanes: 2, pingMs: 5_000, deadMs: 20_000 } })
  const agent = new Agent(new Map([[80, localPort]]), holdMs, { ...silent, ...events })
  pair.client.onStream = (stream) => agent.serve(stream)
  await pair.client.became('up')
  onTestFinished(() => pair.close())
  return (await pair.server).tunnel
}
