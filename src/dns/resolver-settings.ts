/**
 * The answer to a stream `{resolver: {namespace}}`, as JSON: what the resolv.conf of a pod says (resolv.conf(5)), and what
 * else decides which addresses its programs find for a name, and in which order.
 */
export interface ResolverSettings {
  /** Addresses, in order. */
  readonly nameservers: readonly string[]
  /** Domains that are appended to names, in order, without a dot at either end. */
  readonly searches: readonly string[]
  /** `ndots:5` and the like, as they stand there. */
  readonly options: readonly string[]
  /** Which kind of IPv6 address the pod has, beside those of its link; undefined: none, or an older proxy pod. */
  readonly ipv6?: IPv6Kind
}

/** Who has a unique-local address only (fc00::/7) sorts IPv4 before global addresses of IPv6, others after (RFC 6724). */
export const ipv6Kinds = ['global', 'unique-local'] as const
export type IPv6Kind = (typeof ipv6Kinds)[number]

/** Undefined where the text is something else. */
export function parseResolverSettings(json: string): ResolverSettings | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { nameservers, searches, options, ipv6 } = value as Record<string, unknown>
  if (!isTexts(nameservers) || !isTexts(searches) || !isTexts(options)) return undefined
  const kind = ipv6Kinds.find((one) => one === ipv6)
  return { nameservers, searches, options, ...(kind && { ipv6: kind }) }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
