import { type Dict, dictOf, dig, isDict, listOf, stringOf } from '../json.ts'
import { age, podStatus } from './cells.ts'

/** One column of the server-side table of `kubectl get`, after Name. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  /** 0: always shown; 1: with `-o wide`. */
  readonly priority?: number
  readonly cell: (object: Dict) => unknown
}

const text = (name: string, cell: (object: Dict) => unknown, priority = 0): Column => ({
  name,
  type: 'string',
  priority,
  cell,
})
const count = (name: string, cell: (object: Dict) => unknown): Column => ({ name, type: 'integer', cell })
const none = (value: unknown) => (value === undefined || value === '' ? '<none>' : value)

const ageColumn = text('Age', (object) => age(dig(object, 'metadata', 'creationTimestamp')))
const createdColumn: Column = {
  name: 'Created At',
  type: 'date',
  cell: (object) => dig(object, 'metadata', 'creationTimestamp'),
}

const containers = (object: Dict) => listOf(dig(object, 'spec', 'template', 'spec', 'containers')).map(dictOf)
const templateColumns = [
  text(
    'Containers',
    (object) =>
      containers(object)
        .map(({ name }) => name)
        .join(','),
    1,
  ),
  text(
    'Images',
    (object) =>
      containers(object)
        .map(({ image }) => image)
        .join(','),
    1,
  ),
]
const selectorColumn = text('Selector', (object) => selectorText(dig(object, 'spec', 'selector')), 1)

const columns: Readonly<Record<string, readonly Column[]>> = {
  configmaps: [count('Data', (object) => dataCount(object)), ageColumn],
  secrets: [text('Type', (object) => object.type), count('Data', (object) => dataCount(object)), ageColumn],
  serviceaccounts: [count('Secrets', (object) => listOf(object.secrets).length), ageColumn],
  namespaces: [text('Status', (object) => dig(object, 'status', 'phase')), ageColumn],
  nodes: [
    text('Status', (object) => (conditionStatus(object, 'Ready') === 'True' ? 'Ready' : 'NotReady')),
    text('Roles', () => 'control-plane'),
    ageColumn,
    text('Version', (object) => dig(object, 'status', 'nodeInfo', 'kubeletVersion')),
    text('Internal-IP', (object) => dictOf(listOf(dig(object, 'status', 'addresses'))[0]).address, 1),
    text('OS-Image', (object) => dig(object, 'status', 'nodeInfo', 'osImage'), 1),
    text('Container-Runtime', (object) => dig(object, 'status', 'nodeInfo', 'containerRuntimeVersion'), 1),
  ],
  pods: [
    text('Ready', (object) => {
      const statuses = listOf(dig(object, 'status', 'containerStatuses')).map(dictOf)
      return `${statuses.filter(({ ready }) => ready === true).length}/${listOf(dig(object, 'spec', 'containers')).length}`
    }),
    text('Status', podStatus),
    text('Restarts', (object) => {
      const counts = listOf(dig(object, 'status', 'containerStatuses')).map((one) => Number(dictOf(one).restartCount))
      return String(counts.reduce((sum, restarts) => sum + restarts, 0))
    }),
    ageColumn,
    text('IP', (object) => none(dig(object, 'status', 'podIP')), 1),
    text('Node', (object) => none(dig(object, 'spec', 'nodeName')), 1),
    text('Nominated Node', () => '<none>', 1),
    text('Readiness Gates', () => '<none>', 1),
  ],
  services: [
    text('Type', (object) => dig(object, 'spec', 'type')),
    text('Cluster-IP', (object) => none(dig(object, 'spec', 'clusterIP'))),
    text('External-IP', (object) => externalAddress(object)),
    text('Port(s)', (object) => none(servicePorts(object))),
    ageColumn,
    selectorColumn,
  ],
  endpoints: [text('Endpoints', (object) => none(endpointsText(object))), ageColumn],
  'endpointslices.discovery.k8s.io': [
    text('AddressType', (object) => object.addressType),
    text('Ports', (object) =>
      abbreviate(
        listOf(object.ports).map((port) => String(dictOf(port).port ?? '*')),
        '<unset>',
      ),
    ),
    text('Endpoints', (object) => {
      const addresses = listOf(object.endpoints).flatMap((endpoint) => listOf(dictOf(endpoint).addresses))
      return abbreviate(addresses.map(String), '<unset>')
    }),
    ageColumn,
  ],
  'deployments.apps': [
    text('Ready', readyOfReplicas),
    count('Up-to-date', (object) => dig(object, 'status', 'updatedReplicas') ?? 0),
    count('Available', (object) => dig(object, 'status', 'availableReplicas') ?? 0),
    ageColumn,
    ...templateColumns,
    selectorColumn,
  ],
  'replicasets.apps': [
    count('Desired', (object) => dig(object, 'spec', 'replicas')),
    count('Current', (object) => dig(object, 'status', 'replicas') ?? 0),
    count('Ready', (object) => dig(object, 'status', 'readyReplicas') ?? 0),
    ageColumn,
    ...templateColumns,
    selectorColumn,
  ],
  'statefulsets.apps': [text('Ready', readyOfReplicas), ageColumn, ...templateColumns],
  'jobs.batch': [
    text('Status', (object) => {
      if (conditionStatus(object, 'Complete') === 'True') return 'Complete'
      return conditionStatus(object, 'Failed') === 'True' ? 'Failed' : 'Running'
    }),
    text('Completions', (object) => `${dig(object, 'status', 'succeeded') ?? 0}/${dig(object, 'spec', 'completions')}`),
    ageColumn,
    ...templateColumns,
  ],
  events: [
    text('Last Seen', (object) => age(object.lastTimestamp ?? object.eventTime)),
    text('Type', (object) => object.type),
    text('Reason', (object) => object.reason),
    text('Object', (object) => {
      const { kind, name } = dictOf(object.involvedObject)
      return `${stringOf(kind)?.toLowerCase()}/${name}`
    }),
    text('Message', (object) => stringOf(object.message)?.trim()),
  ],
  'leases.coordination.k8s.io': [text('Holder', (object) => dig(object, 'spec', 'holderIdentity') ?? ''), ageColumn],
  'poddisruptionbudgets.policy': [
    text('Min Available', (object) => String(dig(object, 'spec', 'minAvailable') ?? 'N/A')),
    text('Max Unavailable', (object) => String(dig(object, 'spec', 'maxUnavailable') ?? 'N/A')),
    count('Allowed Disruptions', (object) => dig(object, 'status', 'disruptionsAllowed') ?? 0),
    ageColumn,
  ],
  'networkpolicies.networking.k8s.io': [
    text('Pod-Selector', (object) => selectorText(dig(object, 'spec', 'podSelector'))),
    ageColumn,
  ],
  'roles.rbac.authorization.k8s.io': [createdColumn],
  'clusterroles.rbac.authorization.k8s.io': [createdColumn],
  'rolebindings.rbac.authorization.k8s.io': [text('Role', roleOf), ageColumn],
  'clusterrolebindings.rbac.authorization.k8s.io': [text('Role', roleOf), ageColumn],
  'customresourcedefinitions.apiextensions.k8s.io': [createdColumn],
  'validatingadmissionpolicies.admissionregistration.k8s.io': [
    count('Validations', (object) => listOf(dig(object, 'spec', 'validations')).length),
    text('ParamKind', (object) => (dig(object, 'spec', 'paramKind') ? 'set' : '<unset>')),
    ageColumn,
  ],
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': [
    text('PolicyName', (object) => dig(object, 'spec', 'policyName')),
    text('ParamRef', (object) => (dig(object, 'spec', 'paramRef') ? 'set' : '<unset>')),
    ageColumn,
  ],
}

/** Name and Age alone where the resource has no columns of its own. */
export function columnsOf(resource: string): readonly Column[] {
  return columns[resource] ?? [ageColumn]
}

export const defaultColumns: readonly Column[] = [ageColumn]

function dataCount(object: Dict): number {
  return Object.keys(dictOf(object.data)).length + Object.keys(dictOf(object.binaryData)).length
}

function readyOfReplicas(object: Dict): string {
  return `${dig(object, 'status', 'readyReplicas') ?? 0}/${dig(object, 'spec', 'replicas') ?? 0}`
}

function roleOf(object: Dict): string {
  const { kind, name } = dictOf(object.roleRef)
  return `${kind}/${name}`
}

function conditionStatus(object: Dict, type: string): unknown {
  return listOf(dig(object, 'status', 'conditions'))
    .map(dictOf)
    .find((condition) => condition.type === type)?.status
}

function selectorText(selector: unknown): string {
  const { matchLabels, matchExpressions } = dictOf(selector)
  const labels = isDict(matchLabels) || matchExpressions ? dictOf(matchLabels) : dictOf(selector)
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',')
}

function servicePorts(object: Dict): string {
  const ports = listOf(dig(object, 'spec', 'ports')).map(dictOf)
  return ports.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`).join(',')
}

function externalAddress(object: Dict): string {
  const spec = dictOf(object.spec)
  if (spec.type === 'ExternalName') return String(spec.externalName)
  if (spec.type === 'LoadBalancer') return '<pending>'
  const addresses = listOf(spec.externalIPs)
  return addresses.length === 0 ? '<none>' : addresses.join(',')
}

function endpointsText(object: Dict): string {
  const all = listOf(object.subsets)
    .map(dictOf)
    .flatMap(({ addresses, ports }) =>
      listOf(ports).flatMap((port) => listOf(addresses).map((address) => `${dictOf(address).ip}:${dictOf(port).port}`)),
    )
  return abbreviate(all, '')
}

function abbreviate(items: readonly string[], empty: string): string {
  if (items.length === 0) return empty
  return items.length > 3 ? `${items.slice(0, 3).join(',')} + ${items.length - 3} more...` : items.join(',')
}
