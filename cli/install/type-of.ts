import * as resources from '../../src/kube/resources.ts'
import type { KubeObject, ResourceType } from '../../src/kube/types.ts'

const types = new Map<string, ResourceType>(
  Object.values(resources).map((type) => [keyOf(type.group, type.kind), type]),
)

/** The resource of an object that an installation may have. */
export function typeOf({ apiVersion = '', kind = '' }: KubeObject): ResourceType {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
  const type = types.get(keyOf(group, kind))
  if (type === undefined) throw new Error(`${apiVersion} ${kind} is not in src/kube/resources.ts`)
  return type
}

function keyOf(group: string, kind: string): string {
  return `${group}/${kind}`
}
