import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { ResolverSettings } from '../../../src/dns/resolver-settings.ts'
import { codeOf } from '../../../src/errors.ts'
import type { WayIn } from '../../agent/way-in.ts'
import { ClusterDns } from '../cluster-dns.ts'
import type { PodMount } from '../files/pod-files.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Endpoint } from './keeper/ip-packet.ts'
import { fallbackNameServer, hostsFile, nsswitch, resolvConf } from './name-files.ts'
import type { TwinMount } from './protocol.ts'
import { Twin } from './twin.ts'

/** Sockets of services of this machine that would answer for names before the name server is asked. */
const nameServices = ['/run/nscd', '/var/run/nscd']

export interface TwinSurroundingsOptions {
  readonly way: WayIn
  readonly namespace: string
  readonly settings: ResolverSettings
  readonly hostAliases: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[]
  readonly mounts: readonly PodMount[]
  readonly env: Readonly<Record<string, string>>
  /** A directory that only this user reads; the caller's to remove. */
  readonly room: string
  onFailure(to: Endpoint, code: string, reason: string): void
  onPort(port: number, taken?: { readonly code: string; readonly reason: string }): void
  /** The pod has IPv6, and this machine's twins cannot. */
  onWithoutIPv6(reason: string): void
}

/** A twin of a pod. @throws InterceptError 'no-twin' where this machine cannot have one */
export async function twinSurroundings(options: TwinSurroundingsOptions): Promise<Surroundings> {
  const { way, namespace, env, room, settings } = options
  const dns = new ClusterDns(way, namespace)
  const dialOf = ({ address, port }: Endpoint) => ({ host: address, port, namespace })
  const twin = await Twin.start({
    dialTcp: (to) => way.dial(dialOf(to)),
    dialUdp: (to) => way.dialUdp(dialOf(to)),
    dialDns: () => way.openDns(namespace),
    up: (signal) => way.up(signal),
    query: (message) => dns.query(message),
    nameservers: [...settings.nameservers, fallbackNameServer],
    ipv6: settings.ipv6,
    scratch: room,
    mounts: [
      ...(await nameMounts(options)),
      ...options.mounts.map(({ source, mountPath: target, kind, readOnly }) => ({ source, target, kind, readOnly })),
    ],
    onFailure: options.onFailure,
    onPort: options.onPort,
  })
  if (twin.withoutIPv6 !== undefined) {
    options.onWithoutIPv6(twin.withoutIPv6)
    // The file that is mounted is this one.
    await writeFile(nameFile(room, resolvConfFile), resolvConf(settings, false))
  }
  return {
    kind: 'twin',
    run: (command) => twin.run({ command, env, cwd: process.cwd() }),
    signal: (signal) => twin.signal(signal),
    dialLocal: (port, signal) => twin.dialLocal(port, signal),
    close: async () => {
      await twin.close()
      dns.close()
    },
  }
}

const resolvConfFile = '/etc/resolv.conf'

/** Where lies what stands at a path of the twin. */
const nameFile = (room: string, target: string): string => join(room, 'names', target.replaceAll('/', '-'))

/** The files by which programs find names, over those of this machine. */
async function nameMounts({ settings, hostAliases, room }: TwinSurroundingsOptions): Promise<TwinMount[]> {
  const empty = nameFile(room, 'empty')
  await mkdir(empty, { recursive: true, mode: 0o755 })
  const switching = textOf('/etc/nsswitch.conf')
  const texts: Record<string, string | undefined> = {
    [resolvConfFile]: resolvConf(settings, settings.ipv6 !== undefined),
    '/etc/hosts': hostsFile(hostAliases, hostname()),
    '/etc/nsswitch.conf': switching === undefined ? undefined : nsswitch(switching),
  }
  const mounts: TwinMount[] = []
  for (const [target, text] of Object.entries(texts)) {
    if (text === undefined) continue
    const source = nameFile(room, target)
    await writeFile(source, text, { mode: 0o644 })
    mounts.push({ source, target, kind: 'file', readOnly: true })
  }
  const [hidden] = nameServices.filter((target) => textOf(target) !== undefined)
  if (hidden) mounts.push({ source: empty, target: hidden, kind: 'directory', readOnly: true })
  return mounts
}

/** '' for a directory; undefined where there is nothing. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'EISDIR') return ''
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
