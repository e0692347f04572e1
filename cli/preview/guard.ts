import type { IncomingMessage } from 'node:http'

/**
 * Why a request is not for this page's own user; undefined where it is. The page leads into the cluster: no other site
 * may use a browser to get there, neither by a name of its own for our address (DNS rebinding) nor by requests that its
 * pages make in the background.
 */
export function whyForeign({ headers, method }: Pick<IncomingMessage, 'headers' | 'method'>): string | undefined {
  const host = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
  if (!isLoopbackName(host)) return `this page is http://localhost, not ${host || 'without a name'}`
  if (headers['sec-fetch-site'] !== 'cross-site') return undefined
  // A link that is followed, or the way back from a login.
  const isVisit = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  return isVisit && method === 'GET' ? undefined : 'a page of another site asked for this'
}

const isLoopbackName = (host: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(host) || host.endsWith('.localhost')
