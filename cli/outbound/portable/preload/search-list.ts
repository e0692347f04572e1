/** What resolv.conf(5) says about names. */
export interface SearchList {
  readonly domains: readonly string[]
  /** A name with fewer dots is first tried with the domains. */
  readonly ndots: number
}

/** @param text PreloadVariable.Search */
export function searchListOf(text: string): SearchList {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const options = words.map((word) => /^ndots:(\d+)$/.exec(word)?.[1]).filter((count) => count !== undefined)
  return {
    domains: words.filter((word) => !word.includes(':')).map((word) => word.replace(/\.$/, '')),
    ndots: Math.min(15, Number(options.at(-1) ?? 1)),
  }
}

/** The full names that a name may mean, in the order in which they count. */
export function fullNames(name: string, { domains, ndots }: SearchList): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)]
  const longer = domains.map((domain) => `${name}.${domain}`)
  return name.split('.').length - 1 >= ndots ? [name, ...longer] : [...longer, name]
}
