import { leadsAnywhere, leadsTo, type Reach } from '../reach.ts'
import { clusterDomainOf, type SearchList } from '../search-list.ts'
import { zoneNameOf } from './zone-name.ts'

/**
 * Whether a name is within reach. 'not-there': a whole name to which a domain of the search list was appended once
 * more; it does not exist, and a resolver that heard a refusal would not go on to the name itself.
 * @param name in lower case, without a final dot
 */
export function mayAsk(name: string, reaches: readonly Reach[], list: SearchList): 'yes' | 'no' | 'not-there' {
  if (leadsAnywhere(reaches)) return 'yes'
  const domain = clusterDomainOf(list)
  const zone = zoneNameOf(name, domain)
  if (reaches.length === 0) return 'no'
  if (zone && 'namespace' in zone && zone.namespace !== undefined && zone.kind !== 'pod') {
    if (leadsTo(reaches, zone.namespace)) return 'yes'
  }
  if (zone?.kind === 'apex') return 'yes'
  const isSearched = [...list.domains, `svc.${domain}`, domain].some((appended) => {
    if (!name.endsWith(`.${appended}`)) return false
    const rest = name.slice(0, -appended.length - 1)
    return (appended !== domain && rest.endsWith('.svc')) || zoneNameOf(rest, domain) !== undefined
  })
  return isSearched ? 'not-there' : 'no'
}
