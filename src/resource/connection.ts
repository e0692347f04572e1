import * as z from 'zod'
import type { ObjectMeta, ResourceType } from '../kube/types.ts'
import { GROUP, VERSION } from './names.ts'

/** The one source of the Connection, as schema.ts is of the Intercept. */
export const connectionSpec = z
  .object({
    holder: z
      .string()
      .min(1)
      .max(1024)
      .meta({
        description: 'User name, as the API server knows it, of the person who made this; kept true by admission.',
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'holder cannot be changed' }],
      }),
    publicKey: z
      .string()
      .length(44)
      .regex(/^[A-Za-z0-9+/]{43}=$/)
      .meta({
        description: "The session's Ed25519 public key: 32 bytes in base64. Its private half never leaves the laptop.",
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'publicKey cannot be changed' }],
      }),
    reach: z
      .enum(['namespace', 'anywhere'])
      .default('namespace')
      .meta({
        description:
          "What its holder may reach from the proxy pods: the Services of this namespace, or (with the verb 'reach-anywhere') all that the proxy pods can.",
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'reach cannot be changed' }],
      }),
    renewTime: z.string().meta({
      description: 'By the clock of the holder, when she last renewed it.',
      format: 'date-time',
    }),
    ttlSeconds: z.int().min(10).max(86_400).default(120).meta({
      description: 'The Connection is deleted when renewTime has not changed for so long.',
      format: 'int32',
    }),
  })
  .meta({ description: "A person's way into the cluster, and the login to it." })

export type ConnectionSpec = z.output<typeof connectionSpec>

/** One person's way from her laptop into the cluster, for as long as a command of hers runs. */
export interface Connection {
  apiVersion: 'intercept.dev/v1alpha1'
  kind: 'Connection'
  metadata: ObjectMeta & { namespace: string }
  spec: ConnectionSpec
}

export const connectionType: ResourceType = {
  group: GROUP,
  version: VERSION,
  plural: 'connections',
  kind: 'Connection',
  namespaced: true,
}

/** The verb on `connections` for one that reaches beyond its namespace. */
export const REACH_ANYWHERE_VERB = 'reach-anywhere'
