import type { IncomingHttpHeaders } from 'node:http'
import { FOR_AUTHORITY_HEADER, FOR_POD_HEADER, PROXY_STATEFULSET, TUNNEL_PATH } from '../../src/resource/names.ts'

export interface Refused {
  /** 404: nothing is there. 421: it is for another gateway, as a carrier that an address led astray. */
  readonly status: 404 | 421
  readonly reason: string
}

const replicaName = new RegExp(`^${PROXY_STATEFULSET}-\\d+$`)

/**
 * Why an upgrade is refused; undefined: it is for this gateway. Before the path may stand another, by which an Ingress
 * has found the way; where a part of it names a proxy pod, it has to be this one.
 */
export function whyRefused(
  { url = '', headers }: { readonly url?: string | undefined; readonly headers: IncomingHttpHeaders },
  own: { readonly pod: string; readonly authority: string },
): Refused | undefined {
  if (!url.startsWith('/') || !url.endsWith(TUNNEL_PATH) || /[?#]/.test(url)) {
    return { status: 404, reason: `tunnels are at ${TUNNEL_PATH}` }
  }
  const named = url
    .slice(0, -TUNNEL_PATH.length)
    .split('/')
    .filter((part) => replicaName.test(part))
  const wanted = [headers[FOR_POD_HEADER], ...named].find((pod) => pod !== undefined && pod !== own.pod)
  if (wanted !== undefined) return { status: 421, reason: `this is ${own.pod}, not ${wanted}` }
  const authority = headers[FOR_AUTHORITY_HEADER]
  if (authority !== undefined && authority !== own.authority) {
    return { status: 421, reason: `this ${own.pod} is of another installation` }
  }
  return undefined
}
