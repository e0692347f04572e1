import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ProgramOptions, type ProgramRun, runProgram } from './run-program.ts'

/** What every script begins with: `say`, and `outcome`, which is the value of a promise or the code it failed with. */
const prelude = `
const said = {}
const say = (name, value) => { said[name] = value }
const outcome = (promise) => promise.then((value) => value, (error) => error.cause?.code ?? error.code ?? String(error))
const fs = require('node:fs')
process.on('exit', () => fs.writeSync(1, JSON.stringify(said)))
`

/** Runs `intercept ARGS -- node SCRIPT`, in CommonJS; `said` is what the script passed to `say(name, value)`. */
export async function runNode(args: readonly string[], script: string, options: ProgramOptions): Promise<ProgramRun> {
  const folder = mkdtempSync(join(tmpdir(), 'intercept-run-'))
  try {
    const file = join(folder, 'program.cjs')
    writeFileSync(file, `${prelude}\n;(async () => {\n${script}\n})()`)
    return await runProgram(args, [process.execPath, file], options)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
