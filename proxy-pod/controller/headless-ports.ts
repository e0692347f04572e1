import { accept, headlessListenPorts } from '../../src/takeover/acceptance.ts'
import { type ClusterView, type ServiceKey, serviceKeyOf } from './cluster-view.ts'

/**
 * Ports on which the proxy pods listen for headless Services other than `key`, with their Services. Of two Services
 * that want one port the one with the older Intercept has it.
 */
export function headlessPortsOf(view: ClusterView, key: ServiceKey): Map<number, string> {
  const ports = new Map<number, string>()
  const mine = oldest(view, key)
  for (const other of new Set(view.intercepts.map(serviceKeyOf))) {
    if (other === key) continue
    const service = view.observe(other, true)?.service
    if (service?.spec.clusterIP !== 'None') continue
    const theirs = oldest(view, other)
    if (theirs > mine || (theirs === mine && other > key)) continue
    if (accept(service, view.interceptsOf(other)).accepted.length === 0) continue
    for (const port of headlessListenPorts(service)) ports.set(port, other)
  }
  return ports
}

const oldest = (view: ClusterView, key: ServiceKey): string =>
  view
    .interceptsOf(key)
    .map((intercept) => intercept.metadata.creationTimestamp ?? '')
    .sort()[0] ?? ''
