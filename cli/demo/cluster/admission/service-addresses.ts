import { ApiError } from '../api-error.ts'
import { type Dict, dictOf, dig, ensureDict, listOf } from '../json.ts'
import type { AddressPlan } from '../network/loopback.ts'
import type { Store } from '../store/store.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const nodePorts = { first: 30_000, last: 32_767 }

/** Gives Services their ClusterIP and node ports. */
export class ServiceAddresses implements AdmissionPlugin {
  readonly #store: Store
  readonly #plan: AddressPlan

  constructor(store: Store, plan: AddressPlan) {
    this.#store = store
    this.#plan = plan
  }

  mutate({ definition, object, oldObject, name, subresource }: AdmissionRequest): void {
    if (definition.key !== 'services' || !object || subresource !== undefined) return
    const spec = ensureDict(object, 'spec')
    if (spec.type === 'ExternalName') {
      for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[field]
      return
    }
    const before = dictOf(oldObject?.spec)
    if (!spec.clusterIP && Array.isArray(spec.clusterIPs) && spec.clusterIPs.length > 0)
      spec.clusterIP = spec.clusterIPs[0]
    if (!spec.clusterIP) spec.clusterIP = before.clusterIP || this.#freeAddress()
    else if (spec.clusterIP !== 'None' && !before.clusterIP) this.#claim(name, String(spec.clusterIP))
    spec.clusterIPs = [spec.clusterIP]
    const selectorless = spec.clusterIP === 'None' && Object.keys(dictOf(spec.selector)).length === 0
    spec.ipFamilies ??= selectorless ? ['IPv4', 'IPv6'] : ['IPv4']
    spec.ipFamilyPolicy ??= selectorless ? 'RequireDualStack' : 'SingleStack'
    if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') this.#assignNodePorts(spec, before)
  }

  #taken(): Set<string> {
    return new Set(this.#store.list('services').map((service) => String(dig(service, 'spec', 'clusterIP'))))
  }

  #freeAddress(): string {
    const taken = this.#taken()
    for (const address of this.#plan.serviceAddresses()) if (!taken.has(address)) return address
    throw new ApiError(500, 'InternalError', 'failed to allocate a serviceIP: range is full')
  }

  #claim(name: string, address: string): void {
    const type = { group: '', plural: 'services', kind: 'Service' }
    const refuse = (why: string) => {
      const message = `Invalid value: ${JSON.stringify([address])}: ${why}`
      return ApiError.invalid(type, name, [{ reason: 'FieldValueInvalid', field: 'spec.clusterIPs', message }])
    }
    if (!this.#plan.isServiceAddress(address))
      throw refuse('failed to allocate IP: the provided IP is not in the valid range')
    if (this.#taken().has(address)) throw refuse(`failed to allocate IP ${address}: provided IP is already allocated`)
  }

  #assignNodePorts(spec: Dict, before: Dict): void {
    const ports = this.#store.list('services').flatMap((service) => listOf(dig(service, 'spec', 'ports')))
    const taken = new Set(ports.map((port) => dictOf(port).nodePort))
    for (const port of listOf(spec.ports) as Dict[]) {
      const same = listOf(before.ports)
        .map(dictOf)
        .find((old) => old.port === port.port && old.protocol === (port.protocol ?? 'TCP'))
      port.nodePort ??= same?.nodePort
      for (let free = nodePorts.first; !port.nodePort && free <= nodePorts.last; free += 1) {
        if (!taken.has(free)) port.nodePort = free
      }
      taken.add(port.nodePort)
    }
  }
}
