import type { ConfigMap, Container, Pod, Secret, Service } from '../../../src/kube/objects.ts'
import { configMaps, secrets, services } from '../../../src/kube/resources.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { readAllocatable } from './allocatable.ts'
import { known } from './known.ts'
import type { EnvironmentInputs, KeyedText, Known } from './resolve.ts'
import { apiServerService } from './service-links.ts'

/** Reads what a container's environment is made of; what the user may not read is told as such. @throws KubeError */
export async function readInputs(
  kube: Kube,
  namespace: string,
  pod: Pod,
  container: Container,
): Promise<EnvironmentInputs> {
  const names = { configMaps: new Set<string>(), secrets: new Set<string>() }
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef) names.configMaps.add(configMapRef.name)
    if (secretRef) names.secrets.add(secretRef.name)
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef) names.configMaps.add(valueFrom.configMapKeyRef.name)
    if (valueFrom?.secretKeyRef) names.secrets.add(valueFrom.secretKeyRef.name)
  }
  const [configMap, secret, linked, apiServer, allocatable] = await Promise.all([
    readAll(names.configMaps, async (name) => textOf(await kube.find<ConfigMap>(configMaps, namespace, name))),
    readAll(names.secrets, async (name) => decoded(await kube.find<Secret>(secrets, namespace, name))),
    pod.spec.enableServiceLinks === false ? { found: [] } : known(() => kube.list<Service>(services, { namespace })),
    known(() => kube.find<Service>(services, apiServerService.namespace, apiServerService.name)),
    readAllocatable(
      kube,
      pod,
      container,
      (container.env ?? []).map(({ valueFrom }) => valueFrom?.resourceFieldRef),
    ),
  ])
  return { pod, container, services: linked, apiServer, configMap, secret, allocatable }
}

/** Binary data of a ConfigMap is no environment. */
function textOf(configMap: ConfigMap | undefined): KeyedText | undefined {
  return configMap && (configMap.data ?? {})
}

function decoded(secret: Secret | undefined): KeyedText | undefined {
  if (!secret) return undefined
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  )
}

async function readAll(
  names: ReadonlySet<string>,
  read: (name: string) => Promise<KeyedText | undefined>,
): Promise<(name: string) => Known<KeyedText>> {
  const entries = await Promise.all(
    [...names].map(async (name): Promise<[string, Known<KeyedText>]> => [name, await known(() => read(name))]),
  )
  const all = new Map(entries)
  return (name) => all.get(name) ?? { absent: true }
}
