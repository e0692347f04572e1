import type { Surroundings } from './surroundings.ts'

const passed = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/**
 * Passes on to a command what we are told, until the function is called that this returns. Ctrl-C in a terminal reaches
 * it without us, and is its own to understand: a database's prompt goes on after it.
 */
export function passSignals({ signal }: Pick<Surroundings, 'signal'>): () => void {
  const pass = (name: NodeJS.Signals): void => {
    const isTyped = name === 'SIGINT' || name === 'SIGQUIT'
    if (!isTyped || !process.stdin.isTTY) signal(name)
  }
  for (const name of passed) process.on(name, pass)
  return () => {
    for (const name of passed) process.off(name, pass)
  }
}
