import { readFile } from 'node:fs/promises'
import { codeOf } from '../../../src/errors.ts'
import type { Service } from '../../../src/kube/objects.ts'
import { services } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { type HostsAdvice, hostsAdvice } from './hosts-advice.ts'
import { type HostsCommands, hasLines, hostsCommands, hostsLines } from './hosts-lines.ts'
import { HostsListeners, type HostsListenersParts } from './hosts-listeners.ts'
import { planHosts } from './hosts-plan.ts'

export interface HostsNamesParts extends Omit<HostsListenersParts, 'namespace'> {
  readonly kube: Pick<Kube, 'list' | 'namespace'>
  readonly platform?: NodeJS.Platform
  /** Not on Windows. */
  readonly hostsFile?: string
}

/** Names of Services that lead into the cluster once their lines are in the hosts file. */
export interface HostsNames {
  readonly lines: readonly string[]
  /** The hosts file has them already. */
  readonly isThere: boolean
  readonly commands: HostsCommands
  readonly advice: readonly HostsAdvice[]
  close(): void
}

/** What a cluster's domain is where nobody changed it. */
const domain = 'cluster.local'

/** Listens for the Services of the namespace; writes nothing. @throws KubeError */
export async function openHostsNames(parts: HostsNamesParts): Promise<HostsNames> {
  const { kube, platform = process.platform, hostsFile } = parts
  const { namespace } = kube
  const all = await kube.list<Service>(services, { namespace })
  const plan = planHosts(all, { namespace, domain, hasAddresses: platform !== 'darwin' })
  const listeners = new HostsListeners({ ...parts, namespace })
  const unbound = await listeners.open(plan.entries)
  const lines = hostsLines(plan.entries)
  const path = hostsFile ?? (platform === 'win32' ? windowsHostsFile() : '/etc/hosts')
  return {
    lines,
    isThere: hasLines(await textOf(path), lines),
    commands: hostsCommands(lines, platform, hostsFile),
    advice: hostsAdvice(plan, unbound, platform),
    close: () => listeners.close(),
  }
}

const windowsHostsFile = (): string => `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\drivers\\etc\\hosts`

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    // Who may not read it is told the command.
    if (codeOf(error) === undefined) throw error
    return ''
  })
}
