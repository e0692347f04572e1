import { promises } from 'node:dns'
import { fullNames, type SearchList } from './search-list.ts'

export interface LookupAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Lookups at a time. A burst of datagrams overflows its receiver; getaddrinfo has four threads. */
const mostAtOnce = 16
/** libuv's numbers, which no table of Node's has. */
const errnos = { ENOTFOUND: -3008, EAI_AGAIN: -3001 } as const

type Answer = { readonly addresses: readonly LookupAddress[] } | { readonly failed: true }

/** What getaddrinfo in the pod answers: the search list, then A and AAAA from the DNS of the cluster. */
export class ClusterLookup {
  readonly #resolver: InstanceType<typeof promises.Resolver>
  readonly #search: SearchList
  readonly #open = new Map<string, Promise<LookupAddress[]>>()
  readonly #waiting: (() => void)[] = []

  /** @param server `127.0.0.1:PORT` */
  constructor(server: string, search: SearchList) {
    this.#resolver = new promises.Resolver()
    this.#resolver.setServers([server])
    this.#search = search
  }

  /**
   * IPv4 first, at least one. Who asks the same meanwhile shares the answer. All names that it may mean are asked for at once; the first in order counts.
   * @param family 0: both @throws Error as getaddrinfo: ENOTFOUND, EAI_AGAIN where the DNS failed
   */
  async addressesOf(hostname: string, family: 0 | 4 | 6): Promise<LookupAddress[]> {
    const key = `${family} ${hostname}`
    const open = this.#open.get(key) ?? this.#look(hostname, family).finally(() => this.#done(key))
    this.#open.set(key, open)
    return [...(await open)]
  }

  #done(key: string): void {
    this.#open.delete(key)
    this.#waiting.shift()?.()
  }

  async #look(hostname: string, family: 0 | 4 | 6): Promise<LookupAddress[]> {
    if (this.#open.size >= mostAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    const asked = fullNames(hostname, this.#search).map((name) => this.#ask(name, family))
    let hasFailed = false
    for (const answer of asked) {
      const found = await answer
      if ('failed' in found) hasFailed = true
      else if (found.addresses.length > 0) return [...found.addresses]
    }
    throw lookupError(hasFailed ? 'EAI_AGAIN' : 'ENOTFOUND', hostname)
  }

  async #ask(name: string, family: 0 | 4 | 6): Promise<Answer> {
    const [four, six] = await Promise.allSettled([
      family === 6 ? [] : this.#resolver.resolve4(name),
      family === 4 ? [] : this.#resolver.resolve6(name),
    ])
    const addresses = [...of(four, 4), ...of(six, 6)]
    const isFailed = addresses.length === 0 && (isFailure(four) || isFailure(six))
    return isFailed ? { failed: true } : { addresses }
  }
}

function of(result: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return result.status === 'fulfilled' ? result.value.map((address) => ({ address, family })) : []
}

/** Neither addresses nor the answer that there are none. */
function isFailure(result: PromiseSettledResult<unknown>): boolean {
  if (result.status === 'fulfilled') return false
  const { code } = result.reason as { code?: unknown }
  return code !== 'ENOTFOUND' && code !== 'ENODATA' && code !== 'EBADNAME'
}

function lookupError(code: keyof typeof errnos, hostname: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), {
    errno: errnos[code],
    code,
    syscall: 'getaddrinfo',
    hostname,
  })
}
