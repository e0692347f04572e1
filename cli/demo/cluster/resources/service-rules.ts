import type { FieldError } from '../api-error.ts'
import { type Dict, dictOf, ensureDict, isDict, listOf, stringOf } from '../json.ts'

/** Service, all but the addresses, which the address allocator gives. */
export function serviceDefaults(service: Dict, previous: Dict | undefined): void {
  const spec = ensureDict(service, 'spec')
  spec.type ??= 'ClusterIP'
  spec.sessionAffinity ??= 'None'
  if (spec.sessionAffinity === 'ClientIP') {
    const clientIp = ensureDict(ensureDict(spec, 'sessionAffinityConfig'), 'clientIP')
    clientIp.timeoutSeconds ??= 10_800
  } else delete spec.sessionAffinityConfig
  for (const port of listOf(spec.ports) as Dict[]) {
    port.protocol ??= 'TCP'
    if (port.targetPort === undefined || port.targetPort === '') port.targetPort = port.port
  }
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') spec.externalTrafficPolicy ??= 'Cluster'
  else delete spec.externalTrafficPolicy
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
  if (spec.type === 'ClusterIP') for (const port of listOf(spec.ports) as Dict[]) delete port.nodePort
  if (!previous) service.status = { loadBalancer: {} }
}

export const dnsLabel1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"

export function validateService(service: Dict, previous: Dict | undefined): FieldError[] {
  const errors: FieldError[] = []
  const invalid = (field: string, value: unknown, why: string) =>
    errors.push({ reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` })
  const spec = dictOf(service.spec)
  const name = stringOf(dictOf(service.metadata).name) ?? ''
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)) invalid('metadata.name', name, dnsLabel1035)
  const ports = listOf(spec.ports).filter(isDict)
  if (ports.length === 0 && spec.type !== 'ExternalName' && spec.clusterIP !== 'None') {
    errors.push({ reason: 'FieldValueRequired', field: 'spec.ports', message: 'Required value' })
  }
  for (const [index, port] of ports.entries()) {
    const at = `spec.ports[${index}]`
    if (ports.length > 1 && !port.name) {
      errors.push({ reason: 'FieldValueRequired', field: `${at}.name`, message: 'Required value' })
    }
    const range = 'must be between 1 and 65535, inclusive'
    if (!isPort(port.port)) invalid(`${at}.port`, port.port ?? 0, range)
    if (typeof port.targetPort === 'number' && !isPort(port.targetPort))
      invalid(`${at}.targetPort`, port.targetPort, range)
    const twin = ports.findIndex((other) => other.port === port.port && other.protocol === port.protocol)
    if (twin < index)
      errors.push({ reason: 'FieldValueDuplicate', field: at, message: `Duplicate value: ${JSON.stringify(port)}` })
    const named = ports.findIndex((other) => other.name === port.name)
    if (port.name && named < index) {
      errors.push({
        reason: 'FieldValueDuplicate',
        field: `${at}.name`,
        message: `Duplicate value: ${JSON.stringify(port.name)}`,
      })
    }
  }
  const before = previous ? dictOf(previous.spec) : undefined
  if (
    before?.clusterIP &&
    spec.type !== 'ExternalName' &&
    before.type !== 'ExternalName' &&
    spec.clusterIP !== before.clusterIP
  ) {
    invalid('spec.clusterIPs[0]', [spec.clusterIP], 'may not change once set')
  }
  return errors
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535
}
