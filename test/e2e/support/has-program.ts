import { spawnSync } from 'node:child_process'

/** Whether this machine has a program. `npm test` needs nothing but Node; CI has them all, and a test for each. */
export const hasProgram = (name: string): boolean =>
  Boolean(process.env.CI) || spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0
