import type { Socket } from 'node:net'
import type { Surroundings } from '../outbound/surroundings.ts'
import { childEnd, endChild, startChild } from './child-command.ts'
import { dialLocal } from './local-process.ts'

/** The command after `--`, which is the local process or brings it along. */
export interface LocalCommand {
  /** Its exit code. @throws InterceptError 'command-not-started' */
  readonly ended: Promise<number>
  /** A connection to what it listens at. */
  dial(port: number, signal?: AbortSignal): Promise<Socket>
  /** Ends it where it still runs. */
  close(): Promise<void>
}

/** As a shell would start it. */
export function bareCommand(command: readonly string[]): LocalCommand {
  const child = startChild(command)
  return { ended: childEnd(child), dial: dialLocal, close: () => endChild(child) }
}

/** With what a pod has. Owns the surroundings. */
export function commandIn(surroundings: Surroundings, command: readonly string[]): LocalCommand {
  const ended = surroundings.run(command)
  // Whoever asks is told.
  ended.catch(() => undefined)
  return { ended, dial: surroundings.dialLocal, close: surroundings.close }
}
