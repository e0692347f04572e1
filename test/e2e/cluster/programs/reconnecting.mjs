// Asks the database when its server began until there is another one than at first; then says how often it failed meanwhile.
import { writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from './postgres.mjs'

/** The address of a pod that is gone may just not answer. */
const connectMs = 2_000
const startOfServer = () => sql('select pg_postmaster_start_time()', { connectMs })
const first = await startOfServer()
writeFileSync(process.env.MARKER, '')
const failures = new Set()
let last = first
while (last === first) {
  try {
    last = await startOfServer()
  } catch (error) {
    failures.add(error.code ?? error.message)
  }
  await wait(100)
}
process.stdout.write(JSON.stringify({ changed: last !== first, failures: [...failures] }), () => process.exit())
