import type { Service } from '../../src/kube/objects.ts'
import { services } from '../../src/kube/resources.ts'
import { type Intercept, lifetimeOf } from '../../src/resource/intercept.ts'
import { hasKey } from '../../src/takeover/selector.ts'
import { formatBytes, formatDuration } from '../../src/units.ts'
import { type Command, textOf } from '../command.ts'
import { paint } from '../ui/colors.ts'
import { ageOf, findIntercept, listIntercepts, matchOf, portsOf } from './rows.ts'

export const status: Command = {
  usage: 'status [name]',
  help: 'One Intercept or Service in detail, or all of the namespace',
  async run({ ui, kube }, options) {
    const client = await kube()
    const all = await listIntercepts(client, client.namespace)
    const name = textOf(options, 'name')
    const shown = name === undefined ? all : [findIntercept(all, name)]
    const found = await Promise.all(
      shown.map(async (intercept) => {
        const service = await client.find<Service>(services, intercept.metadata.namespace, intercept.spec.service)
        return { intercept, takenOver: service !== undefined && hasKey(service) }
      }),
    )
    ui.result(found, () =>
      found.length === 0
        ? `nobody intercepts anything in ${client.namespace}`
        : found.map(({ intercept, takenOver }) => describe(intercept, takenOver)).join('\n\n'),
    )
    return 0
  },
}

function describe(intercept: Intercept, takenOver: boolean): string {
  const { metadata, spec, status: state } = intercept
  const lines = [
    `${paint.name(`${spec.service}.${metadata.namespace}`)} port ${portsOf(intercept)}  ${state?.phase ?? 'Pending'}${state?.message ? `: ${state.message}` : ''}`,
    `  intercept   ${metadata.name}`,
    `  holder      ${spec.holder}${spec.client?.host ? ` on ${spec.client.host}` : ''}, for ${ageOf(metadata.creationTimestamp)}`,
    `  service     ${takenOver ? 'taken over' : 'answered by its own pods'}${state?.takeoverMs === undefined ? '' : ` (took ${formatDuration(state.takeoverMs)})`}`,
    `  match       ${matchOf(intercept)}`,
    `  local down  ${spec.onLocalDown}`,
    `  expires     ${expiryText(spec)}`,
  ]
  for (const replica of state?.replicas ?? []) {
    const traffic = `${replica.streams} streams, ${formatBytes(replica.bytesIn)} in, ${formatBytes(replica.bytesOut)} out`
    const seen = replica.connected ? 'connected' : `last seen ${ageOf(replica.lastSeen)} ago`
    lines.push(`  ${replica.name}  ${seen}, ${traffic}`)
  }
  return lines.join('\n')
}

function expiryText(spec: Intercept['spec']): string {
  const lifetime = lifetimeOf(spec)
  if (!lifetime) return 'when it is deleted'
  const since = lifetime.from === 'created' ? 'it was made' : 'the laptop was last seen'
  return `${formatDuration(lifetime.seconds * 1000)} after ${since}`
}
