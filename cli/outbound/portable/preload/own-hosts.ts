import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'

/** What ends the lines that `intercept connect --hosts` has people write: they are for programs without the preload. */
const ourLine = /#\s*intercept\s*$/

/** Names and addresses that are of this machine, where a program in the pod would mean itself. */
export class OwnHosts {
  readonly #hostsFile: string
  #names: ReadonlySet<string> | undefined

  /** @param hostsFile the system's, where names of loopback addresses stand that the user has made */
  constructor(hostsFile: string = systemHostsFile()) {
    this.#hostsFile = hostsFile
  }

  /** Loopback, addresses without one (which mean it), link-local IPv6, and what this machine's interfaces have. */
  hasAddress(address: string): boolean {
    const plain = plainAddress(address)
    if (isLoopback(plain) || plain === '0.0.0.0' || plain === '::' || /^fe[89ab]/i.test(plain)) return true
    return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === plain))
  }

  /** `localhost` and names below it, this machine's own, and those that its hosts file gives a loopback address. */
  hasName(name: string): boolean {
    const plain = name.toLowerCase().replace(/\.$/, '')
    if (plain === '' || isIP(plain.replace(/%.*$/, '')) > 0) return true
    if (plain === 'localhost' || plain.endsWith('.localhost')) return true
    const own = hostname().toLowerCase()
    if (plain === own || plain === `${own}.local`) return true
    this.#names ??= loopbackNames(this.#hostsFile)
    return this.#names.has(plain)
  }
}

export const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

/** Without a zone, and IPv4 where IPv6 only wraps it. */
export function plainAddress(address: string): string {
  return address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
}

function loopbackNames(file: string): Set<string> {
  const names = new Set<string>()
  for (const line of textOf(file).split(/\r?\n/)) {
    if (ourLine.test(line)) continue
    const [address = '', ...all] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isLoopback(plainAddress(address))) for (const name of all) names.add(name.toLowerCase())
  }
  return names
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // Without one there are no such names; whatever the reason, the program has to start.
    if (error instanceof Error) return ''
    throw error
  }
}

function systemHostsFile(): string {
  return process.platform === 'win32'
    ? `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts`
    : '/etc/hosts'
}
