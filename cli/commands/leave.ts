import { InterceptError } from '../../src/errors.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import { released } from '../agent/released.ts'
import { type Command, type CommandContext, flagOf, textOf } from '../command.ts'
import { paint } from '../ui/colors.ts'
import { findIntercept, listIntercepts } from './rows.ts'

/** How long a release may take before the command gives up waiting, in milliseconds. */
const releaseMs = 30_000

export const leave: Command = {
  usage: 'leave [name]',
  help: 'Give a Service back to the cluster: by the name of the Intercept or of the Service',
  options: {
    all: { type: 'boolean', help: 'Every Intercept that you hold' },
    'all-namespaces': { type: 'boolean', alias: 'A', help: 'With --all: in every namespace' },
  },
  async run(context, options) {
    const client = await context.kube()
    const name = textOf(options, 'name')
    if ((name === undefined) === !flagOf(options, 'all')) {
      throw new InterceptError('usage', 'which Intercept?', { fix: 'intercept leave NAME, or intercept leave --all' })
    }
    const namespace = flagOf(options, 'all-namespaces') ? undefined : client.namespace
    const [all, me] = await Promise.all([listIntercepts(client, namespace), client.whoAmI()])
    const own = all.filter((intercept) => intercept.spec.holder === me.username)
    const chosen = name === undefined ? own : [findIntercept(all, name)]
    const [foreign] = chosen.filter((intercept) => intercept.spec.holder !== me.username)
    if (foreign) {
      throw new InterceptError(
        'forbidden',
        `Intercept ${foreign.metadata.name} is held by ${foreign.spec.holder}, you are ${me.username}`,
        {
          fix: `intercept revoke ${foreign.metadata.name} -n ${foreign.metadata.namespace}`,
        },
      )
    }
    await end(context, chosen)
    return 0
  },
}

/** Deletes the Intercepts and waits until their Services are given back. */
export async function end({ ui, kube }: CommandContext, intercepts: readonly Intercept[]): Promise<void> {
  const client = await kube()
  if (intercepts.length === 0) ui.event({ event: 'nothing-to-leave' }, 'you hold no Intercept here')
  for (const { metadata, spec } of intercepts) {
    await client.delete(interceptType, metadata.namespace, metadata.name, metadata.uid ? { uid: metadata.uid } : {})
    let waiting: string | undefined
    ui.live.set(() => `giving ${spec.service} back${waiting ? `: ${waiting}` : ''}`)
    const how = await released(client, metadata.namespace, spec.service, AbortSignal.timeout(releaseMs), (state) => {
      waiting = state
    }).catch((error: unknown) => {
      throw new InterceptError(
        'release-timeout',
        `${spec.service} is not given back yet: still waiting for ${waiting ?? 'the cluster'}`,
        {
          fix: `intercept restore ${spec.service} -n ${metadata.namespace}`,
          cause: error,
        },
      )
    })
    ui.event(
      {
        event: 'released',
        intercept: metadata.name,
        namespace: metadata.namespace,
        service: spec.service,
        shared: how === 'shared',
      },
      `${paint.good('✔')} ${spec.service}.${metadata.namespace} ${how === 'shared' ? 'is left; somebody else still intercepts it' : 'is back with the cluster'}`,
    )
  }
  ui.live.clear()
}
