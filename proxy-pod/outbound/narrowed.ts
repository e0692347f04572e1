import { InterceptError } from '../../src/errors.ts'
import { coversAddress, type OutboundRule } from '../../src/resource/outbound-rule.ts'
import type { Address } from './resolve.ts'

/** What an installation lets laptops reach. */
export interface OutboundRules {
  /** Empty: everything that is not denied otherwise. */
  readonly allow: readonly OutboundRule[]
  readonly deny: readonly OutboundRule[]
}

/** How long the addresses of a name in a rule are believed, in milliseconds. */
const believedMs = 10_000

/** Keeps what laptops dial within the rules of the installation. They speak of addresses as they are dialled. */
export class Narrowed {
  readonly #rules: OutboundRules
  readonly #lookUp: (name: string) => Promise<readonly string[]>
  readonly #known = new Map<string, { readonly addresses: Promise<readonly string[]>; readonly until: number }>()
  readonly #now: () => number

  /** @param lookUp addresses of a name; none where it does not exist */
  constructor(
    rules: OutboundRules,
    lookUp: (name: string) => Promise<readonly string[]>,
    now: () => number = () => performance.now(),
  ) {
    this.#rules = rules
    this.#lookUp = lookUp
    this.#now = now
  }

  /** Those of the addresses that may be dialled. @throws InterceptError 'not-allowed' where none is */
  async within(addresses: readonly Address[]): Promise<readonly Address[]> {
    const { allow, deny } = this.#rules
    if (allow.length + deny.length === 0) return addresses
    const verdicts = await Promise.all(addresses.map((address) => this.#why(address)))
    const found = addresses.filter((_, index) => verdicts[index] === undefined)
    const [why] = verdicts
    if (found.length === 0 && why !== undefined) throw new InterceptError('not-allowed', why)
    return found
  }

  async #why(address: Address): Promise<string | undefined> {
    const { allow, deny } = this.#rules
    for (const rule of deny) {
      if (await this.#covers(rule, address)) return `this installation denies ${rule.text}`
    }
    if (allow.length === 0) return undefined
    for (const rule of allow) if (await this.#covers(rule, address)) return undefined
    return `this installation allows only ${allow.map(({ text }) => text).join(', ')}`
  }

  async #covers(rule: OutboundRule, address: Address): Promise<boolean> {
    const { where } = rule
    return coversAddress(rule, address, where.kind === 'name' ? await this.#addressesOf(where.name) : [])
  }

  #addressesOf(name: string): Promise<readonly string[]> {
    const known = this.#known.get(name)
    if (known && known.until > this.#now()) return known.addresses
    const addresses = this.#lookUp(name)
    this.#known.set(name, { addresses, until: this.#now() + believedMs })
    // An answer that could not be had is asked for again.
    addresses.catch(() => this.#known.delete(name))
    return addresses
  }
}
