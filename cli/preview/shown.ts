import { InterceptError } from '../../src/errors.ts'
import type { Service, ServicePort } from '../../src/kube/objects.ts'

/** What a preview shows, and the way there. */
export interface Shown {
  /** For people. */
  readonly name: string
  /** Its origins, first the one that requests name. */
  readonly remote: readonly [string, ...string[]]
  /** Where a proxy pod connects to, as a stream's header says it. */
  readonly dial: Readonly<Record<string, string | number>>
  /** Undefined for plain HTTP. */
  readonly tls: { readonly servername: string; readonly verify: boolean } | undefined
  readonly reach: 'namespace' | 'anywhere'
}

/**
 * A port of a Service. Its certificate is not verified: it is made for callers of the cluster, by an authority of theirs.
 * @param port name or number of the Service's port; undefined: its only one, or the one that HTTP usually has
 * @param host what requests name instead of the Service
 * @throws InterceptError 'no-such-port', 'ambiguous-port'
 */
export function shownService(service: Service, port: string | undefined, host: string | undefined): Shown {
  const { name, namespace = 'default' } = service.metadata
  const found = portOf(service, port)
  const isTls = found.port === 443 || /^https(-|$)/.test(found.name ?? '') || found.appProtocol === 'https'
  const scheme = isTls ? 'https' : 'http'
  const suffix = found.port === (isTls ? 443 : 80) ? '' : `:${found.port}`
  const names = [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`]
  const origins = names.map((one) => `${scheme}://${one}${suffix}`)
  return {
    name: `${namespace}/${name}:${found.port}`,
    remote: host === undefined ? (origins as [string, ...string[]]) : [`${scheme}://${host.toLowerCase()}`, ...origins],
    dial: { namespace, service: name, port: found.port },
    tls: isTls ? { servername: host?.replace(/:\d+$/, '') ?? name, verify: false } : undefined,
    reach: 'namespace',
  }
}

/** Any address that the proxy pods reach. @throws InterceptError 'bad-url' */
export function shownUrl(text: string): Shown {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new InterceptError('bad-url', `"${text}" is not the address of a site`, {
      fix: '--url https://staging.example.com   (no path: open it in the page)',
    })
  }
  const isTls = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    name: url.origin,
    remote: [url.origin],
    dial: { host, port: Number(url.port || (isTls ? 443 : 80)) },
    tls: isTls ? { servername: host, verify: true } : undefined,
    reach: 'anywhere',
  }
}

function portOf(service: Service, wanted: string | undefined): ServicePort & { appProtocol?: string } {
  const what = `Service ${service.metadata.namespace ?? 'default'}/${service.metadata.name}`
  const tcp = (service.spec.ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP')
  const list = tcp.map((one) => (one.name ? `${one.port} (${one.name})` : String(one.port))).join(', ') || 'none'
  if (wanted !== undefined) {
    const found = tcp.find((one) => String(one.port) === wanted || one.name === wanted)
    if (found) return found
    throw new InterceptError('no-such-port', `${what} has no TCP port "${wanted}"; its ports: ${list}`, {
      fix: `--port ${tcp[0]?.port ?? 80}`,
    })
  }
  const [only] = tcp
  const usual = tcp.length === 1 ? only : tcp.find(({ name, port }) => name === 'http' || port === 80)
  if (usual) return usual
  throw new InterceptError('ambiguous-port', `${what} has several ports: ${list}`, {
    fix: `--port ${only?.port ?? 80}`,
  })
}
