import type { Pod } from '../../../src/kube/objects.ts'

/**
 * The value of a downward API field (`metadata.labels['app']`, `status.podIP`). undefined where this pod does not have
 * it yet: it is only a template, or has no address.
 */
export function fieldValue(pod: Pod, path: string): string | undefined {
  const { metadata, spec, status } = pod
  const [, map, key] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path) ?? []
  if (key !== undefined) return (map === 'labels' ? metadata.labels : metadata.annotations)?.[key] ?? ''
  switch (path) {
    case 'metadata.name':
      return metadata.name || undefined
    case 'metadata.namespace':
      return metadata.namespace
    case 'metadata.uid':
      return metadata.uid
    case 'metadata.labels':
      return pairs(metadata.labels)
    case 'metadata.annotations':
      return pairs(metadata.annotations)
    case 'spec.nodeName':
      return spec.nodeName
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? 'default'
    case 'spec.terminationGracePeriodSeconds':
      return String(spec.terminationGracePeriodSeconds ?? 30)
    case 'status.podIP':
      return status?.podIP
    case 'status.podIPs':
      return joined(status?.podIPs) ?? status?.podIP
    case 'status.hostIP':
      return status?.hostIP
    case 'status.hostIPs':
      return joined(status?.hostIPs) ?? status?.hostIP
    default:
      return undefined
  }
}

function joined(addresses: readonly { ip: string }[] | undefined): string | undefined {
  return addresses && addresses.length > 0 ? addresses.map(({ ip }) => ip).join(',') : undefined
}

function pairs(map: Readonly<Record<string, string>> = {}): string {
  return Object.entries(map)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')
}
