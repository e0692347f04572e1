import * as z from 'zod'
import { personPattern } from '../match/person.ts'
import { whyNotRegex } from '../match/regex.ts'

/**
 * Which requests an Intercept takes. Fields are joined by AND, the entries of one list by OR. Every regex is RE2 syntax
 * and has to match the whole value. What is checked here by `refine` and not in the CRD, the controller checks too.
 */

const maxEntries = 16

/** Exactly one of these fields, in the CRD. */
const exactlyOne = (...fields: string[]) => ({
  'x-kubernetes-validations': [
    {
      rule: `[${fields.map((field) => `has(self.${field})`).join(', ')}].filter(one, one).size() == 1`,
      message: `exactly one of ${fields.join(', ')}`,
    },
  ],
})

const equalsOrRegex = {
  'x-kubernetes-validations': [
    { rule: '!(has(self.equals) && has(self.regex))', message: 'equals or regex, not both; neither: it is present' },
  ],
}

const has = (...values: (string | undefined)[]): number => values.filter((value) => value !== undefined).length

const regex = z
  .string()
  .min(1)
  .max(512)
  .superRefine((source, context) => {
    const why = whyNotRegex(source)
    if (why !== undefined) context.addIssue({ code: 'custom', message: `not a regular expression of RE2: ${why}` })
  })
  .meta({ description: 'A regular expression of RE2 that matches the whole value.' })

const value = z.string().max(1024)
const path = z.string().min(1).max(1024)
const headerName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/)

const header = z
  .object({
    name: headerName.meta({ description: 'In any case.' }),
    equals: value.optional().meta({ description: 'The whole value; several fields of one name are joined by ", ".' }),
    regex: regex.optional(),
  })
  .refine((one) => has(one.equals, one.regex) <= 1, 'equals or regex, not both')
  .meta({ description: 'A header with that value; without equals and regex: one that is present.', ...equalsOrRegex })

const query = z
  .object({
    name: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[^=~&#\s]+$/),
    equals: value.optional().meta({ description: 'The first value of that name, decoded.' }),
    regex: regex.optional(),
  })
  .refine((one) => has(one.equals, one.regex) <= 1, 'equals or regex, not both')
  .meta({ description: 'A query parameter; without equals and regex: one that is present.', ...equalsOrRegex })

const pathMatch = z
  .object({ equals: path.optional(), prefix: path.optional(), regex: regex.optional() })
  .refine((one) => has(one.equals, one.prefix, one.regex) === 1, 'exactly one of equals, prefix, regex')
  .meta({
    description: 'The path as it was sent, without its query; a prefix is one of characters.',
    ...exactlyOne('equals', 'prefix', 'regex'),
  })

const grpc = z
  .object({
    service: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[A-Za-z_][A-Za-z0-9_.]*$/)
      .meta({ description: 'With its package: shop.Orders.' }),
    method: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .optional()
      .meta({ description: 'Absent: all of them.' }),
  })
  .meta({ description: 'Calls of a gRPC service.' })

const percent = z
  .object({
    value: z.int().min(1).max(99).meta({ format: 'int32' }),
    header: headerName.optional().meta({
      description: 'Requests with the same value of this header stay together; without it, those of a client.',
    }),
  })
  .meta({ description: 'Of the requests that fulfil the rest, so many percent; always the same clients.' })

const fields = ['as', 'headers', 'paths', 'methods', 'queries', 'hosts', 'grpc', 'percent'] as const

const list = <T extends z.ZodType>(entry: T) => z.array(entry).min(1).max(maxEntries).optional()

export const matchSchema = z
  .object({
    as: z.string().min(1).max(63).regex(personPattern).optional().meta({
      description: 'A personal name: the header x-intercept, or without it the member intercept of W3C baggage.',
    }),
    headers: list(header),
    paths: list(pathMatch),
    methods: list(
      z
        .string()
        .min(1)
        .max(32)
        .regex(/^[A-Z][A-Z0-9_-]*$/),
    ).meta({ description: 'In capitals: GET.' }),
    queries: list(query),
    hosts: list(
      z
        .string()
        .min(1)
        .max(253)
        .regex(/^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/),
    ).meta({ description: "The request's host without its port, in any case; *.example.com is every host below." }),
    grpc: list(grpc),
    percent: percent.optional(),
  })
  .refine((match) => fields.some((field) => match[field] !== undefined), 'at least one condition')
  .meta({
    description: 'Which requests are intercepted: all conditions together, any entry of a list. Absent: everything.',
    // Not a rule: `as` is a word of CEL's own.
    minProperties: 1,
  })

export type Match = z.output<typeof matchSchema>
