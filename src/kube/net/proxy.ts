import { isIP } from 'node:net'

type Env = NodeJS.ProcessEnv

/**
 * The proxy for a server: the kubeconfig's `proxy-url`, else HTTPS_PROXY (HTTP_PROXY for a plain server) unless NO_PROXY
 * or loopback. Read as Go's net/http does, so that kubectl and we agree.
 */
export function proxyFor(server: URL, proxyUrl: string | undefined, env: Env = process.env): URL | undefined {
  if (proxyUrl) return new URL(proxyUrl)
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = env[name] || env[name.toLowerCase()]
  if (!value || bypassed(server, env.NO_PROXY || env.no_proxy || '')) return undefined
  return new URL(/^\w+:\/\//.test(value) ? value : `http://${value}`)
}

function bypassed(server: URL, noProxy: string): boolean {
  const host = hostOf(server)
  if (host === 'localhost' || host.startsWith('127.') || host === '::1') return true
  const port = server.port || (server.protocol === 'https:' ? '443' : '80')
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port))
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const range = /^(.+)\/(\d+)$/.exec(entry)
  if (range !== null) return inRange(host, range[1] ?? '', Number(range[2]))
  const [, name = entry, onlyPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? []
  if (onlyPort !== undefined && onlyPort !== port) return false
  const bare = name.replace(/^\[|\]$/g, '')
  if (isIP(bare) !== 0) return bare === host
  const domain = bare.replace(/^\*?\./, '')
  // With a leading dot only what lies below the domain; without, the domain too.
  return host.endsWith(`.${domain}`) || (domain === bare && host === domain)
}

function inRange(host: string, network: string, bits: number): boolean {
  const a = bitsOf(host)
  const b = bitsOf(network)
  return a !== undefined && b !== undefined && a.length === b.length && a.slice(0, bits) === b.slice(0, bits)
}

/** Only IPv4; a range of IPv6 in NO_PROXY is compared as text by nobody we met. */
function bitsOf(address: string): string | undefined {
  if (isIP(address) !== 4) return undefined
  return address
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('')
}

/** Host name or address of a URL, lower case, IPv6 without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.toLowerCase().replace(/^\[|\]$/g, '')
}
