import type { Socket } from 'node:net'

/** What a command is started in: as in a pod, as far as this machine can. */
export interface Surroundings {
  /** twin: namespaces of Linux. portable: by its environment alone. */
  readonly kind: 'twin' | 'portable'
  /** Starts the command with our terminal. @returns its exit code @throws InterceptError 'command-not-started' */
  run(command: readonly string[]): Promise<number>
  /** Passes a signal on to the command. */
  signal(signal: NodeJS.Signals): void
  /** A connection to what the command listens at, or else to this machine's loopback. */
  dialLocal(port: number, signal?: AbortSignal): Promise<Socket>
  /** Ends the command where it still runs, and takes everything away that was made for it. */
  close(): Promise<void>
}
