/**
 * What a program gets where there is no twin, so that it finds its way into the cluster: an environment whose addresses
 * lead there from this machine, proxies with their variables, and the preload of Node programs. Linux's twin is not
 * here, nor are files.
 */
import { isKubeError } from '../../../src/kube/error.ts'
import type { Service } from '../../../src/kube/objects.ts'
import { services as serviceType } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import type { Variable } from '../env/resolve.ts'
import type { ProxyParts } from '../proxy-dial.ts'
import { ProxyServer } from '../proxy-server.ts'
import { proxyVariables } from '../proxy-variables.ts'
import { AddressForwarders } from './address-forwarders.ts'
import { ClusterHosts } from './cluster-hosts.ts'
import { DialServer } from './dial-server.ts'
import { DnsListener, type DnsQuery } from './dns-listener.ts'
import { preloadPath, withPreload } from './node-options.ts'
import { PreloadVariable } from './preload/wire.ts'
import { Rewriting, type Rewritten, type Stays } from './rewriting.ts'
import type { Way } from './way.ts'

export interface PortableParts {
  readonly way: Way
  /** Undefined: Node programs, too, resolve names as this machine does. */
  readonly dns: DnsQuery | undefined
  readonly kube: Pick<Kube, 'list' | 'server'>
  readonly namespace: string
  /** Of the pod, with what this machine adds (source `local`). */
  readonly environment: ReadonlyMap<string, Variable>
  /** The domains and options (`ndots:5`) of a pod's resolv.conf. */
  readonly searches: readonly string[]
  readonly options?: readonly string[]
  /** Of this machine: NODE_OPTIONS, JAVA_TOOL_OPTIONS and NO_PROXY are added to the pod's. Default: process.env. */
  readonly own?: Readonly<Record<string, string | undefined>>
  /** A connection that did not come about, for the person. */
  onFailure?(to: { readonly host: string; readonly port: number }, code: string, reason: string): void
}

export interface PortableEnvironment {
  /** All of `environment`, rewritten, and the variables of proxies and preload. */
  readonly env: Record<string, string>
  readonly rewritten: readonly Rewritten[]
  readonly stays: readonly Stays[]
  /** Whose Services could be seen, and so recognized in values. */
  readonly sees: 'all' | 'namespace' | 'none'
  /** Ends everything that was opened for it. */
  close(): void
}

/** Variables that add up, with what stands between: the pod's, and this machine's, where debuggers have put theirs. */
const shared = [
  ['NODE_OPTIONS', ' '],
  ['JAVA_TOOL_OPTIONS', ' '],
  ['NO_PROXY', ','],
] as const
const ofNamespace = /^[^.]+\.svc\.(.+)$/
const usualDomain = 'cluster.local'

/** Opens what leads into the cluster. @throws InterceptError 'cannot-listen', 'preload-missing'; KubeError */
export async function openPortableEnvironment(parts: PortableParts): Promise<PortableEnvironment> {
  const { way, dns, kube, namespace, environment, searches, own = process.env } = parts
  const preload = preloadPath()
  const { services, sees } = await visibleServices(kube, namespace)
  const domain = searches.map((one) => ofNamespace.exec(one)?.[1]).find((one) => one !== undefined) ?? usualDomain
  const rewriting = new Rewriting(environment, new ClusterHosts({ services, namespace, domain }))
  const onFailure: ProxyParts['onFailure'] = (to, code, reason) => parts.onFailure?.(to, code, reason)
  const dialling: ProxyParts = {
    dial: ({ host, port }) => way.dial({ host, port, namespace }),
    up: (signal) => way.up(signal),
    onFailure,
  }
  const forwarders = new AddressForwarders({
    way,
    namespace,
    onFailure: (to, reason) => onFailure(to, 'not-connected', reason),
  })
  const proxy = new ProxyServer(dialling)
  const dial = new DialServer(dialling)
  const names = dns && new DnsListener(dns)
  const close = (): void => {
    for (const opened of [forwarders, proxy, dial, names]) opened?.close()
  }
  try {
    const [proxyAt, dialAt, namesAt] = await Promise.all([
      proxy.listen(0),
      dial.listen(),
      names?.listen(),
      forwarders.open(rewriting.wanted),
    ])
    const { values, rewritten } = rewriting.apply((address) => forwarders.portOf(address))
    const env = Object.fromEntries([...values].map(([name, { value }]) => [name, value]))
    const kept = Object.fromEntries(
      shared.map(([name, between]) => {
        const both = [env, own].map((from) => from[name] ?? from[name.toLowerCase()])
        return [name, [...new Set(both)].filter(Boolean).join(between)]
      }),
    )
    const { NODE_USE_ENV_PROXY: _, ...variables } = proxyVariables(proxyAt, new URL(kube.server).hostname, kept)
    Object.assign(env, variables, {
      NODE_OPTIONS: withPreload(preload, kept.NODE_OPTIONS),
      [PreloadVariable.Dial]: dialAt,
      [PreloadVariable.Search]: [...searches, ...(parts.options ?? [])].join(' '),
      ...(namesAt === undefined ? {} : { [PreloadVariable.Dns]: namesAt }),
    })
    return { env, rewritten, stays: rewriting.stays, sees, close }
  } catch (error) {
    close()
    throw error
  }
}

async function visibleServices(
  kube: Pick<Kube, 'list'>,
  namespace: string,
): Promise<{ services: readonly Service[]; sees: PortableEnvironment['sees'] }> {
  for (const [sees, options] of [
    ['all', {}],
    ['namespace', { namespace }],
  ] as const) {
    try {
      return { services: await kube.list<Service>(serviceType, options), sees }
    } catch (error) {
      if (!isKubeError(error, 'forbidden')) throw error
    }
  }
  return { services: [], sees: 'none' }
}
