import { type Command, textOf } from '../command.ts'
import { end } from './leave.ts'
import { findIntercept, listIntercepts } from './rows.ts'

export const revoke: Command = {
  usage: 'revoke <name>',
  help: "End another person's Intercept (needs the right to: verb revoke on intercepts)",
  async run(context, options) {
    const client = await context.kube()
    const all = await listIntercepts(client, client.namespace)
    await end(context, [findIntercept(all, textOf(options, 'name') ?? '')])
    return 0
  },
}
