import { matchOptions } from '../agent/match-options.ts'
import type { Command } from '../command.ts'
import { surroundingsOptions } from '../outbound/surroundings-options.ts'

export const intercept: Command = {
  usage: '$0 <target>',
  help: 'Answer a Service from this machine until Ctrl-C',
  options: {
    port: {
      type: 'string',
      alias: 'p',
      many: true,
      help: 'Local port that answers: 8080, 8080:80 or 8080:http (local, then of the Service); may be repeated',
    },
    ...matchOptions,
    mirror: {
      type: 'boolean',
      help: "Only copies come here: the cluster's pods answer, what is answered here is dropped",
    },
    to: {
      type: 'string',
      help: 'A workload of the cluster answers instead of this machine: svc/orders-pr-7, pod/orders-0:8080',
    },
    detach: { type: 'boolean', help: 'With --to: end the command and keep the Intercept' },
    ttl: {
      type: 'string',
      help: 'How long the Intercept outlives a laptop that has disappeared (15m); with --to: how long it lives (for ever)',
    },
    'tls-secret': {
      type: 'string',
      help: 'The port speaks TLS: end it in the proxy pods with this Secret, to see the requests',
    },
    'tls-local': { type: 'boolean', help: 'With --tls-secret: the local process speaks TLS too' },
    'on-local-down': {
      type: 'string',
      choices: ['origin', 'hold', 'fail'],
      default: 'origin',
      help: 'While the local process does not answer: requests go to the cluster, wait, or fail',
    },
    hold: {
      type: 'string',
      default: '10s',
      help: "Longest wait with --on-local-down hold; then to the cluster's pods",
    },
    ...surroundingsOptions,
    bare: { type: 'boolean', help: 'The command after -- gets nothing of the pod: no environment, files, network' },
    wait: { type: 'string', help: 'First wait until the local port answers, at most so long: --wait 60s' },
  },
  examples: [
    ['intercept svc/orders --port 8080', 'the only port of orders'],
    ['intercept svc/orders -p 8080:http -p 9229:debug -n shop', 'two ports of orders in namespace shop'],
    ['intercept svc/orders -p 8080 --as ada', 'only the requests that carry her name'],
    ['intercept svc/orders --to svc/orders-pr-7 --as pr-7 --detach', "a pull request's workload, with no laptop"],
    [
      'intercept deploy/orders -p 8080 -- npm run dev',
      'start the local process with it, as in the pod, and end with it',
    ],
  ],
  run: async (context, options) => (await import('./run-intercept.ts')).runIntercept(context, options),
}
