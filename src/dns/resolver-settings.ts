/** What a resolv.conf says (resolv.conf(5)), and the answer to a stream `{resolver: {namespace}}`, as JSON. */
export interface ResolverSettings {
  /** Addresses, in order. */
  readonly nameservers: readonly string[]
  /** Domains that are appended to names, in order, without a dot at either end. */
  readonly searches: readonly string[]
  /** `ndots:5` and the like, as they stand there. */
  readonly options: readonly string[]
}

/** Undefined where the text is something else. */
export function parseResolverSettings(json: string): ResolverSettings | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { nameservers, searches, options } = value as Record<string, unknown>
  if (!isTexts(nameservers) || !isTexts(searches) || !isTexts(options)) return undefined
  return { nameservers, searches, options }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
