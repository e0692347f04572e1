import { type Command, type CommandContext, type ParsedOptions, textOf } from '../command.ts'
import { parsePodTarget } from '../outbound/env/pod-target.ts'
import { runInSurroundings } from '../outbound/run-in-surroundings.ts'
import { surroundingsOptions } from '../outbound/surroundings-options.ts'

export const run: Command = {
  usage: 'run <target>',
  help: "Run a command on this machine with a pod's environment, files, names and network",
  details:
    'On Linux in namespaces of its own, without root: any program, any TCP port, UDP. Elsewhere by environment variables, proxies and, for Node.js, a preload. localhost is this machine. Without a command: your shell.',
  options: surroundingsOptions,
  examples: [
    ['intercept run svc/orders -- npm run dev', 'the program believes that it is in a pod of orders'],
    ['intercept run deploy/orders --set LOG_LEVEL=debug -- go run .', 'with changes of your own'],
    ['intercept run svc/orders -- psql -h db', 'any tool, where the pod is'],
  ],
  run: (context: CommandContext, options: ParsedOptions) => {
    const target = parsePodTarget(textOf(options, 'target') ?? '')
    return runInSurroundings(context, { target, purpose: 'run', options })
  },
}
