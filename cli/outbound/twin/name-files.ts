import { isIPv4 } from 'node:net'
import type { ResolverSettings } from '../../../src/dns/resolver-settings.ts'

/** The name server of a twin that nobody else has told us: the address of its own interface leads nowhere else. */
export const fallbackNameServer = '192.0.2.53'

/** The resolv.conf of a twin. @param hasIPv6 whether the twin reaches servers that have only that */
export function resolvConf({ nameservers, searches, options }: ResolverSettings, hasIPv6: boolean): string {
  // What has a zone is on a link of the pod's.
  const reached = nameservers.filter((address) => isIPv4(address) || (hasIPv6 && !address.includes('%')))
  return `${[
    ...(reached.length > 0 ? reached : [fallbackNameServer]).map((address) => `nameserver ${address}`),
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ].join('\n')}\n`
}

/** The hosts file of a twin. @param aliases those of the pod @param hostname of this machine */
export function hostsFile(
  aliases: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[],
  hostname: string,
): string {
  return `${[
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    `127.0.0.1\t${hostname}`,
    ...aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`),
  ].join('\n')}\n`
}

/** The machine's nsswitch.conf, but hosts are asked of files and DNS only: other services answer as from outside. */
export function nsswitch(text: string): string {
  const lines = text.split('\n').filter((line) => !/^\s*hosts\s*:/.test(line))
  return `${lines.join('\n').trimEnd()}\nhosts: files dns\n`
}
