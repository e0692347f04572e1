import * as z from 'zod'
import { matchSchema } from './match-schema.ts'

/**
 * The one source of the Intercept: the TypeScript type (intercept.ts), validation (parse.ts) and the CRD (crd.ts) come
 * from here. `meta` goes into the CRD as it is.
 */

const immutable = (field: string) => ({
  'x-kubernetes-validations': [
    { rule: 'self == oldSelf', message: `${field} cannot be changed; delete the Intercept and make a new one` },
  ],
})

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

const port = z.object({
  port: z
    .int()
    .min(1)
    .max(65_535)
    .meta({ description: "A TCP port of the Service (its own port, not the pods').", format: 'int32' }),
  name: z.string().min(1).max(63).regex(dnsLabel).optional().meta({ description: 'Name of that port in the Service.' }),
})

const client = z
  .object({
    version: z.string().min(1).max(64).meta({ description: 'Version of the command line.' }),
    host: z.string().max(253).optional().meta({ description: "Name of the holder's machine." }),
  })
  .meta({ description: 'What made this Intercept, for people and for checks of version skew.' })

const workload = z
  .object({
    kind: z.enum(['Service', 'Pod']),
    name: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .meta({ description: 'Absent: the port that is intercepted.', format: 'int32' }),
  })
  .meta({ description: 'A workload of the same namespace that answers instead of a laptop.' })

const tls = z
  .object({
    secretName: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
      .meta({ description: 'A Secret of type kubernetes.io/tls in the same namespace, which the holder may read.' }),
    toLocal: z.boolean().default(false).meta({ description: 'The local process speaks TLS too.' }),
  })
  .meta({ description: 'The ports speak TLS; the proxy pods end it to see the requests, and speak it to the origin.' })

/** Fields that may be absent, and stay as they were: a rule at the field would not see it come or go. */
const fixedOptional = ['match', 'to', 'tls', 'publicKey'] as const

const specRules = [
  ...fixedOptional.map((field) => ({
    rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
    message: `${field} cannot be changed; delete the Intercept and make a new one`,
  })),
  {
    rule: 'has(self.to) != has(self.publicKey)',
    message: 'publicKey (a laptop answers) or to (a workload answers), exactly one of them',
  },
]

export const interceptSpec = z
  .object({
    service: z
      .string()
      .min(1)
      .max(63)
      .regex(dnsLabel)
      .meta({ description: 'Name of the Service in the same namespace.', ...immutable('service') }),
    ports: z
      .array(port)
      .min(1)
      .max(16)
      .refine((ports) => new Set(ports.map((one) => one.port)).size === ports.length, 'the same port twice')
      .meta({
        description: 'The ports that are intercepted; the others of the Service pass through.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['port'],
        ...immutable('ports'),
      }),
    holder: z
      .string()
      .min(1)
      .max(1024)
      .meta({
        description: 'User name, as the API server knows it, of the person who made this; kept true by admission.',
        ...immutable('holder'),
      }),
    publicKey: z
      .string()
      .length(44)
      .regex(/^[A-Za-z0-9+/]{43}=$/)
      .optional()
      .meta({
        description:
          "The session's Ed25519 public key: 32 bytes in base64. Its private half never leaves the laptop. Absent with to.",
      }),
    to: workload.optional(),
    mode: z
      .enum(['intercept', 'mirror'])
      .default('intercept')
      .meta({
        description: 'intercept: the requests are answered here. mirror: the origin answers, and a copy comes here.',
        ...immutable('mode'),
      }),
    tls: tls.optional(),
    onLocalDown: z.enum(['origin', 'hold', 'fail']).default('origin').meta({
      description:
        'Where a connection goes while the local process does not answer: to the origin; held up to holdSeconds and then to the origin; refused.',
    }),
    holdSeconds: z.int().min(0).max(3600).default(10).meta({
      description: "Longest wait with onLocalDown 'hold'.",
      format: 'int32',
    }),
    ttlSeconds: z.int().min(10).max(604_800).optional().meta({
      description:
        "The Intercept is released and deleted when the holder's laptop was away for this long (absent: 900). With to it counts from the creation, and absent means that it is kept until somebody deletes it.",
      format: 'int32',
    }),
    client,
    match: matchSchema.optional(),
  })
  .superRefine((spec, context) => {
    if (spec.to !== undefined && spec.publicKey !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['to'],
        message: 'with publicKey a laptop answers; leave one of them out',
      })
    }
    if (spec.to === undefined && spec.publicKey === undefined) {
      context.addIssue({ code: 'custom', path: ['publicKey'], message: 'required, unless to names a workload' })
    }
  })
  .meta({ description: 'What is intercepted, and by whom.', 'x-kubernetes-validations': specRules })

const dateTime = z.string().meta({ format: 'date-time' })
const count = z.int().min(0).meta({ format: 'int64' })

const condition = z.object({
  type: z.string().min(1).max(316),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: count.optional(),
  lastTransitionTime: dateTime,
  reason: z.string().min(1).max(1024),
  message: z.string().max(32_768),
})

const replica = z.object({
  name: z.string().meta({ description: 'Name of the proxy pod.' }),
  uid: z.string().meta({ description: 'Of the proxy pod.' }),
  ready: z.boolean().optional().meta({ description: 'Its listeners for this Service are open and published.' }),
  connected: z.boolean().meta({ description: 'A tunnel of the holder is up.' }),
  streams: z.int().min(0).meta({ description: 'Open now.', format: 'int32' }),
  bytesIn: count.meta({ description: 'From the laptop, since the replica started.' }),
  bytesOut: count.meta({ description: 'To the laptop, since the replica started.' }),
  carrier: z.string().max(64).optional().meta({ description: 'How the tunnel got in, such as pods/proxy.' }),
  lastSeen: dateTime.meta({ description: 'When the replica last heard from the laptop.' }),
})

export const interceptStatus = z
  .object({
    phase: z.enum(['Pending', 'TakingOver', 'Active', 'Disconnected', 'Failed']).optional(),
    observedGeneration: count.optional(),
    connected: z.string().max(64).optional().meta({ description: "Replicas with a tunnel of all replicas: '2/2'." }),
    ports: z.string().max(256).optional().meta({ description: "For people: '80, 9000'." }),
    match: z.string().max(1024).optional().meta({ description: "What is intercepted, for people: 'everything'." }),
    message: z.string().max(32_768).optional().meta({ description: 'What it waits for, or why it failed.' }),
    conditions: z
      .array(condition)
      .max(16)
      .optional()
      .meta({
        description: 'Accepted, TakenOver, Connected; with tls also TlsReady.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      }),
    replicas: z
      .array(replica)
      .max(64)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
    takeoverMs: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'From the object seen to the Service taken over.', format: 'int32' }),
  })
  .meta({ description: 'Written by the proxy pods.' })
