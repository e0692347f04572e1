// argv -> command; nothing else. What is not needed to answer is not loaded.
import { collectInOneGo } from '../src/collect-in-one-go.ts'

const args = process.argv.slice(2)
if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
  process.stdout.write(`${process.env.INTERCEPT_VERSION}\n`)
} else {
  collectInOneGo()
  const { runCli } = await import('./yargs.ts')
  process.exitCode = await runCli(args)
}
