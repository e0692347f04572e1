import { isIP } from 'node:net'
import type { ResolverSettings } from '../../src/dns/resolver-settings.ts'
import { parseSearchList, type SearchList, searchListFor } from './search-list.ts'

/** What a resolv.conf says (resolv.conf(5)). */
export interface ResolvConf {
  readonly nameservers: readonly string[]
  readonly options: readonly string[]
  readonly searchList: SearchList
}

export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = []
  let options: string[] = []
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    const [first = ''] = values
    if (keyword === 'nameserver' && isIP(first.replace(/%.*$/, '')) > 0) nameservers.push(first)
    if (keyword === 'options') options = [...options, ...values]
  }
  return { nameservers, options, searchList: parseSearchList(text) }
}

/** What the resolv.conf of a pod of that namespace says. @param own of the pod that we are in */
export function settingsFor({ nameservers, options, searchList }: ResolvConf, namespace: string): ResolverSettings {
  const { domains, ndots } = searchListFor(searchList, namespace)
  const others = options.filter((option) => !option.startsWith('ndots:'))
  return { nameservers, searches: domains, options: [`ndots:${ndots}`, ...others] }
}
