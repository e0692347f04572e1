/** What resolv.conf(5) says about names. */
export interface SearchList {
  /** Domains that are appended, in order, without a dot at either end. */
  readonly domains: readonly string[]
  /** A name with fewer dots is first tried with the domains. */
  readonly ndots: number
}

/** @param text of a resolv.conf; of several `search` or `domain` lines the last counts */
export function parseSearchList(text: string): SearchList {
  let domains: string[] = []
  let ndots = 1
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'search' || keyword === 'domain') {
      domains = values.map((domain) => domain.replace(/\.$/, '').toLowerCase()).filter((domain) => domain !== '')
    }
    if (keyword !== 'options') continue
    for (const option of values) {
      const [, count] = /^ndots:(\d+)$/.exec(option) ?? []
      if (count !== undefined) ndots = Math.min(15, Number(count))
    }
  }
  return { domains, ndots }
}

/** What the kubelet writes for pods, where the list is not one of a pod. */
const usual = { domain: 'cluster.local', ndots: 5 }
const ofNamespace = /^[^.]+\.svc\.(.+)$/

/** Whether it is the list of a pod, which has a cluster's DNS. */
export const isOfPod = ({ domains }: SearchList): boolean => domains.some((domain) => ofNamespace.test(domain))

/** The domain that the cluster's Services are in, as a pod's own list shows it. */
export function clusterDomainOf({ domains }: SearchList): string {
  for (const domain of domains) {
    const [, found] = ofNamespace.exec(domain) ?? []
    if (found !== undefined) return found
  }
  return usual.domain
}

/** The list of a pod in that namespace. @param own of the pod that we are in */
export function searchListFor(own: SearchList, namespace: string): SearchList {
  const domain = clusterDomainOf(own)
  const cluster = [`svc.${domain}`, domain]
  const rest = own.domains.filter((one) => !ofNamespace.test(one) && !cluster.includes(one))
  return { domains: [`${namespace}.svc.${domain}`, ...cluster, ...rest], ndots: isOfPod(own) ? own.ndots : usual.ndots }
}

/** The full names that a name may mean, in the order in which they are tried, without a final dot. */
export function fullNames(name: string, { domains, ndots }: SearchList): string[] {
  const plain = name.replace(/\.$/, '').toLowerCase()
  if (name.endsWith('.')) return [plain]
  const longer = domains.map((domain) => `${plain}.${domain}`)
  const isLong = plain.split('.').length - 1 >= ndots
  return isLong ? [plain, ...longer] : [...longer, plain]
}
