import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { RUN_VARIABLE, runCli } from './cli.ts'
import { leftovers } from './leftovers.ts'

export interface ProgramRun {
  readonly code: number | null
  /** The JSON object that the program printed. */
  readonly said: Readonly<Record<string, unknown>>
  readonly stderr: string
}

export interface ProgramOptions {
  readonly kubeconfig: string
  /** What runs a command on the laptop, as whom. */
  readonly prefix?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Another installation's `dist/cli.js`. */
  readonly installation?: string
}

/** Runs `intercept ARGS -- COMMAND`, whose program prints one JSON object. Nothing may be left of it. */
export async function runProgram(
  args: readonly string[],
  command: readonly string[],
  { env, ...options }: ProgramOptions,
): Promise<ProgramRun> {
  const id = randomUUID()
  const { code, stdout, stderr } = await runCli([...args, '--', ...command], {
    ...options,
    env: { ...env, [RUN_VARIABLE]: id },
    format: 'text',
  })
  let said: ProgramRun['said']
  try {
    said = JSON.parse(stdout)
  } catch (cause) {
    throw new Error(`the program said nothing (exit code ${code}):\n${stdout}\n${stderr}`, { cause })
  }
  expect(leftovers(id)).toEqual([])
  return { code, said, stderr }
}
