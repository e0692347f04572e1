/**
 * How the fields of a kind are merged: what Kubernetes' Go types say with listType, mapType, listMapKey and
 * patchMergeKey. A field without a shape is granular where it is an object, and atomic where it is a list.
 */
export interface Shape {
  readonly fields?: Readonly<Record<string, Shape>>
  /** Of every key, for maps. */
  readonly values?: Shape
  readonly items?: Shape
  /** Default 'atomic': the list has one owner and is replaced as a whole. */
  readonly list?: 'map' | 'set' | 'atomic'
  /** Keys that identify an item of a 'map' list. */
  readonly keys?: readonly string[]
  /** Values of keys that an item does not name. */
  readonly keyDefaults?: Readonly<Record<string, string | number>>
  /** Strategic merge patch: the one key by which items are merged. */
  readonly mergeKey?: string
  /** The object has one owner and is replaced as a whole by server-side apply. */
  readonly atomic?: boolean
}

const atomic: Shape = { atomic: true }
const set: Shape = { list: 'set' }

function mapBy(key: string, items: Shape = {}, others: readonly string[] = []): Shape {
  return { list: 'map', keys: [key, ...others], mergeKey: key, items }
}

const conditions = mapBy('type')
const metadata: Shape = { fields: { finalizers: set, ownerReferences: mapBy('uid', atomic) } }
const withProtocol = { keyDefaults: { protocol: 'TCP' } }

const containers = mapBy('name', {
  fields: {
    ports: { ...mapBy('containerPort', {}, ['protocol']), ...withProtocol },
    env: mapBy('name', {
      fields: { valueFrom: { fields: { fieldRef: atomic, configMapKeyRef: atomic, secretKeyRef: atomic } } },
    }),
    volumeMounts: mapBy('mountPath'),
    volumeDevices: mapBy('devicePath'),
  },
})

const podSpec: Shape = {
  fields: {
    containers,
    initContainers: containers,
    ephemeralContainers: containers,
    volumes: mapBy('name'),
    imagePullSecrets: mapBy('name', atomic),
    hostAliases: mapBy('ip'),
    topologySpreadConstraints: mapBy('topologyKey', { fields: { labelSelector: atomic } }, ['whenUnsatisfiable']),
    nodeSelector: atomic,
    affinity: { fields: { nodeAffinity: { fields: { requiredDuringSchedulingIgnoredDuringExecution: atomic } } } },
  },
}

const template: Shape = { fields: { metadata, spec: podSpec } }
const workload: Shape = {
  fields: { spec: { fields: { selector: atomic, template } }, status: { fields: { conditions } } },
}

const shapes: Readonly<Record<string, Shape>> = {
  pods: {
    fields: { spec: podSpec, status: { fields: { conditions, podIPs: mapBy('ip'), hostIPs: { list: 'atomic' } } } },
  },
  services: {
    fields: {
      spec: {
        fields: { selector: atomic, ports: { ...mapBy('port', {}, ['protocol']), ...withProtocol } },
      },
      status: { fields: { conditions } },
    },
  },
  serviceaccounts: { fields: { secrets: mapBy('name', atomic) } },
  nodes: { fields: { status: { fields: { conditions, addresses: mapBy('type') } } } },
  namespaces: { fields: { status: { fields: { conditions } } } },
  'deployments.apps': workload,
  'replicasets.apps': workload,
  'statefulsets.apps': workload,
  'jobs.batch': workload,
  'poddisruptionbudgets.policy': {
    fields: { spec: { fields: { selector: atomic } }, status: { fields: { conditions } } },
  },
  'networkpolicies.networking.k8s.io': { fields: { spec: { fields: { podSelector: atomic } } } },
  'roles.rbac.authorization.k8s.io': {},
  'rolebindings.rbac.authorization.k8s.io': { fields: { roleRef: atomic } },
  'clusterrolebindings.rbac.authorization.k8s.io': { fields: { roleRef: atomic } },
  'validatingadmissionpolicies.admissionregistration.k8s.io': {
    fields: {
      spec: { fields: { matchConstraints: atomic, matchConditions: mapBy('name'), variables: mapBy('name', atomic) } },
    },
  },
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': {
    fields: { spec: { fields: { matchResources: atomic, paramRef: atomic, validationActions: set } } },
  },
  'customresourcedefinitions.apiextensions.k8s.io': { fields: { status: { fields: { conditions } } } },
}

/** The shape of a built-in resource, metadata included. */
export function builtInShape(resource: string): Shape {
  return withMetadata(shapes[resource] ?? {})
}

export function withMetadata(shape: Shape): Shape {
  return { ...shape, fields: { ...shape.fields, metadata } }
}

/** The shape of one field of an object. */
export function fieldShape(shape: Shape | undefined, field: string): Shape | undefined {
  return shape?.fields?.[field] ?? shape?.values
}

/** The shape of a custom resource, from its structural schema (x-kubernetes-list-type and the like). */
export function schemaShape(schema: unknown): Shape {
  const node = (typeof schema === 'object' && schema !== null ? schema : {}) as SchemaNode
  const shape: Record<string, unknown> = {}
  if (node['x-kubernetes-map-type'] === 'atomic') shape.atomic = true
  const listType = node['x-kubernetes-list-type']
  if (listType !== undefined) shape.list = listType
  const keys = node['x-kubernetes-list-map-keys']
  if (keys) {
    shape.keys = keys
    const defaults = keys.flatMap((key) => {
      const fallback = node.items?.properties?.[key]?.default
      return fallback === undefined ? [] : [[key, fallback]]
    })
    if (defaults.length > 0) shape.keyDefaults = Object.fromEntries(defaults)
  }
  if (node.items) shape.items = schemaShape(node.items)
  if (typeof node.additionalProperties === 'object') shape.values = schemaShape(node.additionalProperties)
  if (node.properties) {
    shape.fields = Object.fromEntries(Object.entries(node.properties).map(([key, child]) => [key, schemaShape(child)]))
  }
  return shape as Shape
}

interface SchemaNode {
  readonly properties?: Record<string, SchemaNode>
  readonly items?: SchemaNode
  readonly additionalProperties?: SchemaNode | boolean
  readonly default?: unknown
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: string[]
}
