import { InterceptError } from '../../src/errors.ts'
import { isKubeError } from '../../src/kube/error.ts'
import type { Kube } from '../../src/kube/types.ts'
import { describeMatch } from '../../src/match/describe.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import { formatDuration } from '../../src/units.ts'

/** Intercepts of a namespace, or of all. @throws InterceptError 'not-installed' */
export async function listIntercepts(kube: Kube, namespace: string | undefined): Promise<Intercept[]> {
  try {
    return await kube.list<Intercept>(interceptType, { namespace })
  } catch (error) {
    if (!isKubeError(error, 'not-found')) throw error
    throw new InterceptError('not-installed', 'intercept is not installed in this cluster', {
      fix: 'intercept install',
    })
  }
}

/** Age of an object for people: `12 s`, `3 h`. */
export function ageOf(time: string | undefined, now = Date.now()): string {
  const at = Date.parse(time ?? '')
  return Number.isNaN(at) ? '?' : formatDuration(Math.max(0, Math.floor((now - at) / 1000) * 1000)).replace('.0', '')
}

export const portsOf = (intercept: Intercept): string =>
  intercept.spec.ports.map(({ port, name }) => (name ? `${port}/${name}` : String(port))).join(',')

/** Which requests, and where they go if not to the holder's laptop: `as ada`, `copies of everything`, `as pr-7 → svc/orders-pr-7`. */
export function matchOf({ spec }: Intercept): string {
  const { to } = spec
  const where = to
    ? ` → ${to.kind === 'Pod' ? 'pod' : 'svc'}/${to.name}${to.port === undefined ? '' : `:${to.port}`}`
    : ''
  return `${spec.mode === 'mirror' ? 'copies of ' : ''}${describeMatch(spec.match)}${where}`
}

/** Finds an Intercept by its own name, or by its Service where that is unambiguous. @throws 'intercept-not-found', 'ambiguous-intercept' */
export function findIntercept(all: readonly Intercept[], name: string): Intercept {
  const plain = name.replace(/^(svc|service|services)\//, '')
  const exact = all.find((intercept) => intercept.metadata.name === plain)
  if (exact) return exact
  const [only, ...more] = all.filter((intercept) => intercept.spec.service === plain)
  if (!only) {
    throw new InterceptError('intercept-not-found', `there is no Intercept ${plain}, and none of a Service ${plain}`, {
      fix: 'intercept list --all-namespaces',
    })
  }
  if (more.length > 0) {
    const names = [only, ...more].map((intercept) => `${intercept.metadata.name} (${intercept.spec.holder})`)
    throw new InterceptError('ambiguous-intercept', `several Intercepts of ${plain}: ${names.join(', ')}`, {
      fix: 'name the Intercept instead of the Service',
    })
  }
  return only
}
