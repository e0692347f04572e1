import { hostPattern, isPort } from './found-address.ts'

/** Variables that name one host together, and its ports. */
export interface AddressPair {
  /** Each is nothing but the host. */
  readonly hosts: readonly string[]
  readonly host: string
  /** Each is nothing but a port; none: nothing says which. */
  readonly ports: readonly string[]
}

/** Endings, in any case and with any separator; what stands before them is what a pair has in common. */
const hostEnding = /^(.+?)([_.-]?)(service[_.-]?host|hostname|host|address|addr)$/i
const portEndings: Readonly<Record<string, RegExp>> = {
  'service-host': /^service[_.-]?port(?:[_.-].+)?$/i,
  host: /^port$/i,
}
const isHost = new RegExp(`^(?:${hostPattern}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$`)

/**
 * `DB_HOST` with `DB_PORT`, `PGHOST` with `PGPORT`, `db.hostname` with `db.port`, and the variables of Service links
 * (`DB_SERVICE_HOST` with `DB_SERVICE_PORT` and `DB_SERVICE_PORT_METRICS`, `DB_PORT_5432_TCP_ADDR` with `…_TCP_PORT`).
 * Not `HOST` with `PORT`: that is where a program listens. Hosts of one prefix that differ are pairs that share ports.
 */
export function addressPairs(values: ReadonlyMap<string, string>): AddressPair[] {
  const pairs = new Map<string, { hosts: string[]; host: string; ports: string[] }>()
  for (const [name, value] of values) {
    const [, prefix, separator = '', ending = ''] = hostEnding.exec(name) ?? []
    if (prefix === undefined || !isHost.test(value)) continue
    // A forwarder carries TCP.
    if (/_UDP$/i.test(prefix)) continue
    const isService = /^service/i.test(ending)
    const key = `${prefix}${separator}${isService ? 'service' : ''}=${value}`
    const known = pairs.get(key)
    if (known) {
      known.hosts.push(name)
      continue
    }
    const pattern = portEndings[isService ? 'service-host' : 'host']
    const ports = [...values.keys()].filter(
      (one) =>
        one.startsWith(prefix + separator) &&
        pattern?.test(one.slice(prefix.length + separator.length)) &&
        isPort(values.get(one) ?? ''),
    )
    pairs.set(key, { hosts: [name], host: value, ports })
  }
  return [...pairs.values()]
}
