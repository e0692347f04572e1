import type { IncomingHttpHeaders } from 'node:http'

/** The two ends of a preview as a browser sees them: `http://localhost:4000` stands for `http://web`. */
export interface Origins {
  /** Of the loopback page. */
  readonly local: string
  /** Of what it shows, first the one that requests name; all are the same place, such as `http://web.shop`. */
  readonly remote: readonly [string, ...string[]]
}

/** Makes a request look as if its page had come from the remote origin. */
export function rewriteRequest(headers: IncomingHttpHeaders, { local, remote }: Origins): void {
  headers.host = new URL(remote[0]).host
  if (headers.origin === local) headers.origin = remote[0]
  if (headers.referer?.startsWith(`${local}/`)) headers.referer = remote[0] + headers.referer.slice(local.length)
}

/** Makes an answer work on the loopback page: redirects, cookies, CORS; what a browser would remember of it is dropped. */
export function rewriteAnswer(headers: IncomingHttpHeaders, origins: Origins): void {
  for (const name of ['location', 'content-location', 'access-control-allow-origin'] as const) {
    const value = headers[name]
    if (value !== undefined) headers[name] = toLocal(value, origins)
  }
  if (headers['set-cookie']) headers['set-cookie'] = headers['set-cookie'].map(localCookie)
  delete headers['strict-transport-security']
}

function toLocal(url: string, { local, remote }: Origins): string {
  const from = remote.find(
    (origin) =>
      url.toLowerCase().startsWith(origin) &&
      (url.length === origin.length || '/?#'.includes(url[origin.length] ?? '')),
  )
  return from === undefined ? url : local + url.slice(from.length)
}

/**
 * A cookie for localhost, which has no domain and no TLS. A browser takes a name with the prefix __Secure- or __Host-
 * only with Secure, and SameSite=None too; on localhost, Chrome and Firefox take Secure.
 */
function localCookie(cookie: string): string {
  const [pair = '', ...attributes] = cookie.split(';')
  const needsSecure =
    /^\s*__(secure|host)-/i.test(pair) || attributes.some((one) => /^\s*samesite\s*=\s*none\s*$/i.test(one))
  const kept = attributes.filter(
    (attribute) => !/^\s*domain\s*=/i.test(attribute) && (needsSecure || !/^\s*secure\s*$/i.test(attribute)),
  )
  return [pair, ...kept].join(';')
}
