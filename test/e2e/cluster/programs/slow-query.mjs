// Asks the database something that takes SECONDS, on a connection that a marker file tells of.
import { writeFileSync } from 'node:fs'
import { sql } from './postgres.mjs'

const began = Date.now()
const answer = sql(`select 'slept' from pg_sleep(${process.env.SECONDS})`, {
  onAsked: () => writeFileSync(process.env.MARKER, ''),
})
process.stdout.write(JSON.stringify({ answer: await answer, ms: Date.now() - began }), () => process.exit())
