import type { ValueSource, Variable } from '../env/resolve.ts'
import { type AddressPair, addressPairs } from './address-pairs.ts'
import { type ClusterHost, type ClusterHosts, isHeadless, tcpPortOf } from './cluster-hosts.ts'
import type { Address, FoundAddress, StayReason } from './found-address.ts'
import { driverAddresses, listedAddresses, settingAddresses } from './plain-addresses.ts'
import { urlAddresses } from './url-addresses.ts'

/** The address of this machine that takes the cluster hosts' place: `localhost` means a socket file to MySQL. */
export const localHost = '127.0.0.1'

/** What became of one address in one variable. Tells hosts and ports only, so no secret. */
export interface Rewritten {
  readonly variable: string
  readonly source: ValueSource
  /** `db:5432`. */
  readonly from: string
  /** `127.0.0.1:41234`. */
  readonly to: string
}

/** An address of the cluster that was left as it is. */
export interface Stays {
  readonly variable: string
  readonly source: ValueSource
  /** `payments:443`, or only a host. */
  readonly address: string
  readonly reason: StayReason
}

export interface RewrittenEnvironment {
  /** All variables, in their order; what names nothing of the cluster is the same byte for byte. */
  readonly values: Map<string, Variable>
  readonly rewritten: readonly Rewritten[]
}

interface Replacement extends FoundAddress {
  readonly variable: string
}

/**
 * What of an environment leads into the cluster, and how it is written so that it leads there from this machine.
 *
 * An address is: the host of a URL of any scheme; a value that is nothing but `host:port`, or a list of such; a driver's
 * `@tcp(host:port)` and `host=… port=…`; a variable whose name ends in HOST, HOSTNAME, ADDR or ADDRESS beside one of the
 * same prefix that ends in PORT. It is the cluster's where its host is a Service's name or address (ClusterHosts) and its
 * port is one of the Service's TCP ports; what no scheme marks (`redis:7` may be an image) needs the port to be known.
 * A value that only equals a Service's name is an identity (`OTEL_SERVICE_NAME=orders`) and stays. So do values of this
 * machine (`local`): who wrote them meant them.
 *
 * TLS: a certificate names the host, and 127.0.0.1 is not in it. What is followed with TLS and a check of the name stays
 * (`stays`): `https://` goes through HTTPS_PROXY, which every common client follows; the others need the Node preload or
 * SOCKS. That holds for KUBERNETES_SERVICE_HOST, too: clients of the API follow HTTPS_PROXY.
 */
export class Rewriting {
  /** The addresses that need a forwarder, each once. */
  readonly wanted: readonly Address[]
  /** Each once for a variable, in the order of the environment. */
  readonly stays: readonly Stays[]
  readonly #environment: ReadonlyMap<string, Variable>
  readonly #replacements = new Map<string, Replacement[]>()

  constructor(environment: ReadonlyMap<string, Variable>, hosts: ClusterHosts) {
    this.#environment = environment
    const wanted = new Map<string, Address>()
    const stays: Stays[] = []
    const foreign = [...environment].filter(([, { source }]) => source !== 'local')
    for (const found of [
      ...foreign.flatMap(([variable, { value }]) => inValue(variable, value)),
      ...pairsIn(new Map(foreign.map(([name, { value }]) => [name, value])), hosts),
    ]) {
      const { variable, host, port } = found
      const known = hosts.find(host)
      if (!known || (port !== 0 && !isReached(known, found))) continue
      const reason = found.stays ?? (!found.saysProtocol && speaksTls(known, port) ? 'https' : undefined)
      if (reason !== undefined) {
        // The host says it already.
        if (found.what === 'port') continue
        stays.push({ variable, source: sourceOf(environment, variable), address: written(found), reason })
        continue
      }
      const all = this.#replacements.get(variable) ?? []
      if (all.some(({ start, end }) => found.start < end && start < found.end)) continue
      this.#replacements.set(variable, [...all, found])
      wanted.set(keyOf(found), { host, port })
    }
    this.wanted = [...wanted.values()]
    const order = [...environment.keys()]
    this.stays = stays.sort((a, b) => order.indexOf(a.variable) - order.indexOf(b.variable))
  }

  /** @param localPortOf the port of this machine that leads to a wanted address */
  apply(localPortOf: (address: Address) => number): RewrittenEnvironment {
    const rewritten: Rewritten[] = []
    const values = new Map<string, Variable>()
    for (const [variable, old] of this.#environment) {
      const all = [...(this.#replacements.get(variable) ?? [])].sort((a, b) => a.start - b.start)
      let value = ''
      let at = 0
      for (const found of all) {
        const local = localPortOf({ host: found.host, port: found.port })
        const to = `${localHost}:${local}`
        value += old.value.slice(at, found.start)
        value += found.what === 'host' ? localHost : found.what === 'port' ? String(local) : to
        at = found.end
        rewritten.push({ variable, source: old.source, from: written(found), to })
      }
      values.set(variable, all.length === 0 ? old : { ...old, value: value + old.value.slice(at) })
    }
    return { values, rewritten }
  }
}

function inValue(variable: string, value: string): Replacement[] {
  const found = [
    ...urlAddresses(value),
    ...listedAddresses(value),
    ...driverAddresses(value),
    ...settingAddresses(value),
  ]
  return found.map((one) => ({ ...one, variable }))
}

function pairsIn(values: ReadonlyMap<string, string>, hosts: ClusterHosts): Replacement[] {
  const pairs = addressPairs(values).filter(({ host }) => hosts.find(host))
  const users = new Map<string, number>()
  for (const { ports } of pairs) for (const port of ports) users.set(port, (users.get(port) ?? 0) + 1)
  return pairs.flatMap((pair) => ofPair(pair, values, hosts, users))
}

/** All of a pair, or nothing of it: half of an address leads nowhere. */
function ofPair(
  { host, hosts: variables, ports }: AddressPair,
  values: ReadonlyMap<string, string>,
  hosts: ClusterHosts,
  users: ReadonlyMap<string, number>,
): Replacement[] {
  const known = hosts.find(host)
  const numbers = ports.map((port) => Number(values.get(port)))
  const isTcp = (port: number): boolean => known !== undefined && isReached(known, { port, isSure: false })
  const whole = (variable: string, what: 'host' | 'port', port: number, stays?: StayReason): Replacement => {
    const end = values.get(variable)?.length ?? 0
    return { variable, host, port, what, start: 0, end, isSure: true, saysProtocol: false, stays }
  }
  const stay = (reason: StayReason): Replacement[] => variables.map((variable) => whole(variable, 'host', 0, reason))
  const [first] = numbers
  if (first === undefined) return stay('no-port')
  if (ports.some((port) => (users.get(port) ?? 0) > 1)) return stay('unclear')
  // A port that is none of the Service's TCP ports may be UDP, and the host is then its own, too.
  if (!numbers.every(isTcp)) return stay('unclear')
  const reason = known && numbers.some((port) => speaksTls(known, port)) ? 'https' : undefined
  return [
    ...variables.map((variable) => whole(variable, 'host', first, reason)),
    ...ports.map((variable, index) => whole(variable, 'port', numbers[index] ?? first, reason)),
  ]
}

function isReached({ service }: ClusterHost, { port, isSure }: Pick<FoundAddress, 'port' | 'isSure'>): boolean {
  if (!service || service.spec.type === 'ExternalName') return true
  return tcpPortOf(service, port) !== undefined || (isSure && isHeadless(service))
}

/** Where only a number says what is spoken. */
function speaksTls({ service }: ClusterHost, port: number): boolean {
  const found = service && tcpPortOf(service, port)
  return port === 443 || /^https\b/i.test(found?.appProtocol ?? found?.name ?? '')
}

const sourceOf = (environment: ReadonlyMap<string, Variable>, variable: string): ValueSource =>
  environment.get(variable)?.source ?? 'value'

const keyOf = ({ host, port }: Address): string => `${host}:${port}`

function written({ host, port }: Address): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === 0 ? name : `${name}:${port}`
}
