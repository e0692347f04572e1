import * as z from 'zod'
import type { KubeObject, ResourceType } from '../kube/types.ts'
import { connectionSpec, connectionType } from './connection.ts'
import { interceptType } from './intercept.ts'
import { interceptSpec, interceptStatus } from './schema.ts'

interface CustomResourceDefinition extends KubeObject {
  spec: Record<string, unknown>
}

interface Column {
  readonly name: string
  readonly type: 'string' | 'date'
  readonly jsonPath: string
  readonly description?: string
}

const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** CustomResourceDefinitions, without namespace-dependent parts: the same for every installation. */
export const interceptCrd = (): CustomResourceDefinition =>
  definition(interceptType, {
    shortName: 'icpt',
    description: 'Answers ports of a Service from the machine of the person who holds it.',
    spec: interceptSpec,
    status: interceptStatus,
    columns: [
      { name: 'Service', type: 'string', jsonPath: '.spec.service', description: 'The Service that is intercepted.' },
      { name: 'Port', type: 'string', jsonPath: '.status.ports', description: 'Its ports that are intercepted.' },
      { name: 'Holder', type: 'string', jsonPath: '.spec.holder', description: 'Who made it.' },
      { name: 'Match', type: 'string', jsonPath: '.status.match', description: 'Which part of the traffic.' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'How far it is.' },
      { name: 'Connected', type: 'string', jsonPath: '.status.connected', description: 'Replicas with a tunnel.' },
      age,
    ],
  })

export const connectionCrd = (): CustomResourceDefinition =>
  definition(connectionType, {
    shortName: 'icpc',
    description: "A person's way from her machine into the cluster, for as long as a command of hers runs.",
    spec: connectionSpec,
    columns: [
      { name: 'Holder', type: 'string', jsonPath: '.spec.holder', description: 'Who made it.' },
      { name: 'Reach', type: 'string', jsonPath: '.spec.reach', description: 'How far it leads.' },
      {
        name: 'Renewed',
        type: 'date',
        jsonPath: '.spec.renewTime',
        description: 'How long ago its holder was last heard from.',
      },
      age,
    ],
  })

interface Parts {
  readonly shortName: string
  readonly description: string
  readonly spec: z.ZodType
  /** What the proxy says of it, in a subresource; undefined: nothing. */
  readonly status?: z.ZodType
  readonly columns: readonly Column[]
}

function definition({ group, version, plural, kind }: ResourceType, parts: Parts): CustomResourceDefinition {
  const { shortName, description, spec, status, columns } = parts
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List`, shortNames: [shortName] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          ...(status ? { subresources: { status: {} } } : {}),
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structural(spec),
                ...(status ? { status: structural(status) } : {}),
              },
            },
          },
        },
      ],
    },
  }
}

type JsonSchema = Record<string, unknown>

/** JSON Schema as an apiextensions/v1 structural schema: no $schema, no bounds that only say "fits a double". */
function structural(schema: z.ZodType): JsonSchema {
  const { $schema, ...json } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
  return json
}
