import { InterceptError } from '../errors.ts'
import type { Service } from '../kube/objects.ts'

/**
 * Why a Service cannot be taken over at all; undefined where it can. Codes: 'service-external-name',
 * 'service-without-selector', 'service-local-traffic', 'service-sctp'.
 */
export function whyIneligible(service: Service): InterceptError | undefined {
  const name = `Service ${service.metadata.namespace ?? 'default'}/${service.metadata.name}`
  if (service.spec.type === 'ExternalName') {
    return new InterceptError(
      'service-external-name',
      `${name} is of type ExternalName: it is a DNS alias of ${service.spec.externalName ?? 'another name'}, no traffic passes through it`,
      { fix: `intercept the Service that ${service.spec.externalName ?? 'it'} stands for, in its own namespace` },
    )
  }
  if (Object.keys(service.spec.selector ?? {}).length === 0) {
    return new InterceptError(
      'service-without-selector',
      `${name} has no selector: its endpoints are made by hand or by another controller, and could not be given back`,
      {
        fix: `kubectl -n ${service.metadata.namespace ?? 'default'} get endpointslices -l kubernetes.io/service-name=${service.metadata.name}`,
      },
    )
  }
  const local = localPolicy(service)
  if (local) {
    return new InterceptError(
      'service-local-traffic',
      `${name} has ${local}: Local, so that callers reach endpoints on their own node only, and not every node has a proxy pod`,
      {
        fix: `kubectl -n ${service.metadata.namespace ?? 'default'} patch service ${service.metadata.name} -p '{"spec":{"${local}":"Cluster"}}'`,
      },
    )
  }
  if ((service.spec.ports ?? []).some(({ protocol }) => protocol === 'SCTP')) {
    return new InterceptError('service-sctp', `${name} has an SCTP port, which the proxy pods could not pass through`)
  }
  return undefined
}

function localPolicy({ spec }: Service): string | undefined {
  if (spec.internalTrafficPolicy === 'Local') return 'internalTrafficPolicy'
  return spec.externalTrafficPolicy === 'Local' ? 'externalTrafficPolicy' : undefined
}
