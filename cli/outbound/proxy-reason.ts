import { Socks5Reply } from './socks5.ts'

/** How a proxy tells its client why it did not get a connection. */
export interface ProxyReason {
  readonly socks5: Socks5Reply
  /** Status of an HTTP answer. */
  readonly http: 403 | 502 | 504
}

/** By the code with which a proxy pod refuses a stream, or ours. */
const reasons: Readonly<Record<string, ProxyReason>> = {
  ECONNREFUSED: { socks5: Socks5Reply.ConnectionRefused, http: 502 },
  ECONNRESET: { socks5: Socks5Reply.ConnectionRefused, http: 502 },
  EHOSTUNREACH: { socks5: Socks5Reply.HostUnreachable, http: 502 },
  EHOSTDOWN: { socks5: Socks5Reply.HostUnreachable, http: 502 },
  'name-not-found': { socks5: Socks5Reply.HostUnreachable, http: 502 },
  'name-server-failed': { socks5: Socks5Reply.HostUnreachable, http: 502 },
  'no-such-service': { socks5: Socks5Reply.HostUnreachable, http: 502 },
  'no-endpoint': { socks5: Socks5Reply.HostUnreachable, http: 502 },
  ENETUNREACH: { socks5: Socks5Reply.NetworkUnreachable, http: 502 },
  'tunnel-down': { socks5: Socks5Reply.NetworkUnreachable, http: 504 },
  'not-allowed': { socks5: Socks5Reply.NotAllowed, http: 403 },
  ETIMEDOUT: { socks5: Socks5Reply.TimedOut, http: 504 },
}

export function proxyReason(code: string): ProxyReason {
  const known = Object.hasOwn(reasons, code) ? reasons[code] : undefined
  return known ?? { socks5: Socks5Reply.GeneralFailure, http: 502 }
}
