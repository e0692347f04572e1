import { type Command, flagOf } from '../command.ts'
import { table } from '../ui/ui.ts'
import { ageOf, listIntercepts, matchOf, portsOf } from './rows.ts'

export const list: Command = {
  usage: 'list',
  help: 'Who intercepts what',
  options: { 'all-namespaces': { type: 'boolean', alias: 'A', help: 'In every namespace' } },
  async run({ ui, kube }, options) {
    const client = await kube()
    const namespace = flagOf(options, 'all-namespaces') ? undefined : client.namespace
    const intercepts = await listIntercepts(client, namespace)
    ui.result(intercepts, () => {
      if (intercepts.length === 0) {
        return `nobody intercepts anything in ${namespace ?? 'this cluster'}${namespace ? ' (other namespaces: -A)' : ''}`
      }
      const rows = intercepts.map((one) => [
        one.metadata.namespace,
        one.metadata.name,
        one.spec.service,
        portsOf(one),
        matchOf(one),
        one.spec.holder,
        one.status?.phase ?? 'Pending',
        one.status?.connected ?? '',
        ageOf(one.metadata.creationTimestamp),
      ])
      return table(['NAMESPACE', 'NAME', 'SERVICE', 'PORTS', 'MATCH', 'HOLDER', 'PHASE', 'CONNECTED', 'AGE'], rows)
    })
    return 0
  },
}
