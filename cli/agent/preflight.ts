import { InterceptError } from '../../src/errors.ts'
import { isKubeError } from '../../src/kube/error.ts'
import type { Service } from '../../src/kube/objects.ts'
import type { Kube } from '../../src/kube/types.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import { type Claimed, type Conflict, conflictMessage, conflictOf } from '../../src/takeover/acceptance.ts'
import { whyIneligible } from '../../src/takeover/eligibility.ts'
import { conflictFix } from './conflict-fix.ts'
import { mapPorts, type PortMapping, type PortOption } from './ports.ts'
import { findService, type Target } from './target.ts'
import { checkTlsSecret } from './tls-secret.ts'

export interface Preflight {
  readonly service: Service
  readonly ports: readonly PortMapping[]
  readonly holder: string
}

/**
 * All that can be known to be wrong before anything is changed. One round of requests, side by side.
 * @throws InterceptError with the code of what is wrong first: the target, then the installation, then a conflict
 */
export async function preflight(
  kube: Kube,
  namespace: string,
  target: Target,
  options: readonly PortOption[],
  wanted: Claimed = { mode: 'intercept' },
): Promise<Preflight> {
  const [found, me, held, secret] = await Promise.allSettled([
    findService(kube, namespace, target),
    kube.whoAmI(),
    kube.list<Intercept>(interceptType, { namespace }),
    wanted.tls && checkTlsSecret(kube, namespace, wanted.tls.secretName),
  ])
  const service = settled(found)
  const ineligible = whyIneligible(service)
  if (ineligible) throw ineligible
  const ports = mapPorts(service, options)
  if (held.status === 'rejected' && isKubeError(held.reason, 'not-found')) {
    throw new InterceptError('not-installed', 'intercept is not installed in this cluster', {
      fix: 'intercept install',
    })
  }
  const holder = settled(me).username
  refuseConflict(service, ports, holder, wanted, settled(held))
  settled(secret)
  return { service, ports, holder }
}

function refuseConflict(
  service: Service,
  ports: readonly PortMapping[],
  holder: string,
  wanted: Claimed,
  held: readonly Intercept[],
): void {
  const others = held.filter(
    ({ metadata, spec, status }) =>
      spec.service === service.metadata.name && !metadata.deletionTimestamp && status?.phase !== 'Failed',
  )
  for (const mapping of ports) {
    const onPort = others.filter(({ spec }) => spec.ports.some(({ port }) => port === mapping.port))
    for (const other of onPort) {
      const conflict = conflictOf(wanted, other.spec)
      if (conflict) throw conflictError(ports, holder, wanted, onPort, mapping.port, other, conflict)
    }
  }
}

function conflictError(
  ports: readonly PortMapping[],
  holder: string,
  wanted: Claimed,
  onPort: readonly Intercept[],
  port: number,
  other: Intercept,
  conflict: Conflict,
): InterceptError {
  const name = `${other.metadata.namespace}/${other.spec.service}`
  return new InterceptError('already-intercepted', conflictMessage(name, port, other, conflict), {
    fix: conflictFix({ ports, holder, wanted, onPort, other, conflict }),
  })
}

function settled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason
  return result.value
}
