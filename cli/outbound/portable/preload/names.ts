import dns from 'node:dns'
import type { ClusterLookup, LookupAddress } from './cluster-lookup.ts'
import type { OwnHosts } from './own-hosts.ts'

export interface NamesParts {
  readonly lookup: ClusterLookup
  /** `127.0.0.1:PORT` */
  readonly server: string
  readonly own: OwnHosts
  /** Told each address that a name was found to have. */
  onFound(address: string): void
}

/** What dns.lookup is asked for. */
interface Asked {
  readonly family: 0 | 4 | 6
  readonly all: boolean
  readonly isSixFirst: boolean
}

/**
 * Makes this process look names up in the cluster: `dns.lookup` (and all that stands on it, such as net and fetch) with
 * the pod's search list, `dns.resolve*` and new Resolvers by the cluster's name server, without one, as in the pod.
 */
export function lookUpInCluster(parts: NamesParts): void {
  const { lookup } = dns
  const promised = dns.promises.lookup
  replace(dns, 'lookup', (...args: unknown[]) => {
    const [name, options] = args
    const callback = args.at(-1)
    const asked = askedOf(typeof options === 'function' ? undefined : options)
    if (!asked || typeof name !== 'string' || typeof callback !== 'function' || parts.own.hasName(name)) {
      return Reflect.apply(lookup, dns, args)
    }
    found(parts, name, asked).then(
      // Outside of the promise: what the callback throws is the program's own.
      (all) => process.nextTick(callback, null, ...(asked.all ? [all] : [all[0]?.address, all[0]?.family])),
      (error) => process.nextTick(callback, error),
    )
    return {}
  })
  replace(dns.promises, 'lookup', async (...args: unknown[]) => {
    const [name, options] = args
    const asked = askedOf(options)
    if (!asked || typeof name !== 'string' || parts.own.hasName(name))
      return Reflect.apply(promised, dns.promises, args)
    const all = await found(parts, name, asked)
    return asked.all ? all : all[0]
  })
  dns.setServers([parts.server])
  replace(dns, 'Resolver', asking(dns.Resolver, parts.server))
  replace(dns.promises, 'Resolver', asking(dns.promises.Resolver, parts.server))
}

async function found({ lookup, onFound }: NamesParts, name: string, asked: Asked): Promise<LookupAddress[]> {
  const all = await lookup.addressesOf(name, asked.family)
  for (const { address } of all) onFound(address)
  return asked.isSixFirst ? all.sort((a, b) => b.family - a.family) : all
}

/** Undefined for options that dns.lookup has to complain about. */
function askedOf(options: unknown): Asked | undefined {
  const given =
    typeof options === 'object' && options !== null ? (options as Record<string, unknown>) : { family: options }
  const family = new Map<unknown, 0 | 4 | 6>([
    ...([
      [undefined, 0],
      [0, 0],
      [4, 4],
      [6, 6],
      ['IPv4', 4],
      ['IPv6', 6],
    ] as const),
  ]).get(given.family)
  if (family === undefined) return undefined
  const order = given.order ?? dns.getDefaultResultOrder()
  return { family, all: given.all === true, isSixFirst: order === 'ipv6first' }
}

/** A class like it whose instances ask this server until they are told another. */
function asking<T extends new (...args: never[]) => { setServers(servers: readonly string[]): void }>(
  original: T,
  server: string,
): T {
  const { name } = original
  const made = new Proxy(original, {
    construct(target, args, newTarget) {
      const resolver = Reflect.construct(target, args, newTarget) as InstanceType<T>
      resolver.setServers([server])
      return resolver
    },
  })
  return Object.defineProperty(made, 'name', { value: name })
}

/** Puts another function in its place, with all that hangs on the old one, such as what util.promisify looks for. */
function replace(holder: object, name: string, instead: unknown): void {
  const original = Reflect.get(holder, name)
  if (typeof original === 'function' && typeof instead === 'function') {
    Object.defineProperties(instead, Object.getOwnPropertyDescriptors(original))
  }
  Reflect.set(holder, name, instead)
}
