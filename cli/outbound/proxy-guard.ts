import type { IncomingMessage } from 'node:http'

/**
 * Why a request that a browser sent through the proxy is not its user's own; undefined where it is, or where nothing
 * tells. A browser with this proxy would lead the pages of every site into the cluster: they may be visited from
 * anywhere, but only pages of the same host, or of this machine, may ask in the background.
 */
export function whyOfAnotherSite({ headers, method }: Pick<IncomingMessage, 'headers' | 'method'>, target: URL) {
  const { origin } = headers
  if (origin !== undefined && !isOwn(origin, target)) return `a page of ${printableOrigin(origin)} asked for this`
  if (headers['sec-fetch-site'] !== 'cross-site' || origin !== undefined) return undefined
  const isVisit = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  return isVisit && method === 'GET' ? undefined : 'a page of another site asked for this'
}

function isOwn(origin: string, target: URL): boolean {
  if (!URL.canParse(origin)) return false
  const { host, hostname } = new URL(origin)
  return host === target.host || hostname === '127.0.0.1' || hostname === '[::1]' || isLocalName(hostname)
}

const isLocalName = (name: string): boolean => name === 'localhost' || name.endsWith('.localhost')

const printableOrigin = (origin: string): string =>
  origin === 'null' ? 'no site' : URL.canParse(origin) ? new URL(origin).origin : 'an unreadable origin'
