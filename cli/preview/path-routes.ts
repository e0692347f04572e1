import { InterceptError } from '../../src/errors.ts'

/** Who answers a path: a dev server on this machine, or the cluster. */
export type PathOwner = { readonly localPort: number } | 'cluster'

interface PathRoute {
  readonly prefix: string
  readonly owner: PathOwner
}

/** Paths by prefix, the longest first; what nothing names belongs to the cluster. */
export class PathRoutes {
  readonly #routes: readonly PathRoute[]

  /**
   * @param serve `3000=/`, `3000=/app`: a port and the prefix of its paths
   * @param cluster `/api`: prefixes that stay the cluster's all the same
   * @throws InterceptError 'bad-serve'
   */
  constructor(serve: readonly string[], cluster: readonly string[]) {
    const routes = [
      ...serve.map(parseServe),
      ...cluster.map((prefix) => ({ prefix: checked(prefix), owner: 'cluster' as const })),
    ]
    const twice = routes.find(({ prefix }, index) => routes.findIndex((one) => one.prefix === prefix) !== index)
    if (twice) throw new InterceptError('bad-serve', `two owners for the paths under ${twice.prefix}`)
    this.#routes = routes.sort((a, b) => b.prefix.length - a.prefix.length)
  }

  ownerOf(url: string): PathOwner {
    const [path = '/'] = url.split(/[?#]/, 1)
    return this.#routes.find(({ prefix }) => isUnder(path, prefix))?.owner ?? 'cluster'
  }

  get localPorts(): number[] {
    return [...new Set(this.#routes.flatMap(({ owner }) => (owner === 'cluster' ? [] : [owner.localPort])))]
  }
}

const isUnder = (path: string, prefix: string): boolean =>
  prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix || path.startsWith(`${prefix}/`)

function parseServe(text: string): PathRoute {
  const [, port, prefix] = /^(\d{1,5})(?:=(.+))?$/.exec(text) ?? []
  const localPort = Number(port)
  if (port === undefined || localPort < 1 || localPort > 65_535) {
    throw new InterceptError('bad-serve', `"${text}" is not PORT=PREFIX`, { fix: '--serve 3000=/' })
  }
  return { prefix: checked(prefix ?? '/'), owner: { localPort } }
}

function checked(prefix: string): string {
  if (prefix.startsWith('/')) return prefix
  throw new InterceptError('bad-serve', `"${prefix}" is not the beginning of a path`, { fix: '--serve 3000=/app' })
}
