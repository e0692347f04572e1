import { createHash } from 'node:crypto'
import type { Service } from '../../../src/kube/objects.ts'

/** One line of a hosts file, and where this machine has to listen for it. */
export interface HostsEntry {
  readonly service: string
  readonly address: string
  readonly names: readonly string[]
  /** TCP. */
  readonly ports: readonly number[]
}

export interface HostsPlan {
  readonly entries: readonly HostsEntry[]
  /** Ports that another Service has on the one address there is. */
  readonly clashes: readonly { readonly service: string; readonly port: number; readonly takenBy: string }[]
}

export interface HostsPlanOptions {
  readonly namespace: string
  /** `cluster.local`. */
  readonly domain: string
  /** Whether all of 127.0.0.0/8 is this machine's (Linux, Windows), or only 127.0.0.1 (macOS). */
  readonly hasAddresses: boolean
}

const onlyAddress = '127.0.0.1'

/**
 * How the Services of a namespace get names of this machine. Each has an address of its own, the same one every time:
 * lines that stand in the hosts file stay true while Services come and go (but where two fall on one address). Without
 * addresses the first Service by name has a port. Those without a TCP port, and ExternalNames, have no line.
 */
export function planHosts(services: readonly Service[], options: HostsPlanOptions): HostsPlan {
  const { namespace, domain, hasAddresses } = options
  const entries: HostsEntry[] = []
  const clashes: HostsPlan['clashes'][number][] = []
  const used = new Set<string>()
  const holders = new Map<number, string>()
  for (const { metadata, spec } of [...services].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const { name } = metadata
    const all = (spec.ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP').map(({ port }) => port)
    if (spec.type === 'ExternalName' || all.length === 0) continue
    const qualified = `${name}.${namespace}`
    const names = [name, qualified, `${qualified}.svc`, `${qualified}.svc.${domain}`]
    if (hasAddresses) {
      entries.push({ service: name, address: ownAddress(qualified, used), names, ports: all })
      continue
    }
    const ports: number[] = []
    for (const port of all) {
      const takenBy = holders.get(port)
      if (takenBy === undefined) ports.push(port)
      else clashes.push({ service: name, port, takenBy })
      holders.set(port, takenBy ?? name)
    }
    if (ports.length > 0) entries.push({ service: name, address: onlyAddress, names, ports })
  }
  return { entries, clashes }
}

/** Of 127.128.0.0 to 127.254.255.254: the lower ones are the embedded cluster's. */
function ownAddress(qualified: string, used: Set<string>): string {
  for (let tried = 0; ; tried += 1) {
    const [a = 0, b = 0, c = 0] = createHash('sha256').update(`${qualified} ${tried}`).digest()
    const address = `127.${128 + (a % 127)}.${b}.${1 + (c % 254)}`
    if (used.has(address)) continue
    used.add(address)
    return address
  }
}
