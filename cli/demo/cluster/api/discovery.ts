import type { Dict } from '../json.ts'
import type { Catalogue } from '../resources/catalogue.ts'
import type { ResourceDefinition } from '../resources/definition.ts'

/** /version, as of the Kubernetes release that the embedded cluster imitates. */
export const versionInfo = {
  major: '1',
  minor: '34',
  gitVersion: 'v1.34.4+embedded',
  gitCommit: 'embedded',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
} as const

/** The body of a discovery path, or undefined where the path is none: /api, /apis, /api/v1, /apis/GROUP(/VERSION). */
export function discover(
  path: string,
  accept: string | undefined,
  catalogue: Catalogue,
  server: string,
): Dict | undefined {
  const [, root, group, version, ...rest] = path.replace(/\/$/, '').split('/')
  if (rest.length > 0) return undefined
  const definitions = catalogue.all()
  if (root === 'api') {
    if (group === undefined) {
      if (wantsAggregated(accept)) return aggregated(definitions.filter((each) => each.group === ''))
      return {
        kind: 'APIVersions',
        versions: ['v1'],
        serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: server }],
      }
    }
    return version === undefined ? resourceList(definitions, '', group) : undefined
  }
  if (root !== 'apis') return undefined
  if (group === undefined) {
    if (wantsAggregated(accept)) return aggregated(definitions.filter((each) => each.group !== ''))
    const groups = [...new Set(definitions.map((each) => each.group))].filter((each) => each !== '')
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((each) => groupOf(definitions, each)) }
  }
  if (!definitions.some((each) => each.group === group)) return undefined
  if (version === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(definitions, group) }
  return resourceList(definitions, group, version)
}

function wantsAggregated(accept: string | undefined): boolean {
  return accept?.split(',').some((type) => type.includes('as=APIGroupDiscoveryList') && /v=v2(;|$)/.test(type)) === true
}

function groupOf(definitions: readonly ResourceDefinition[], group: string): Dict {
  const names = [...new Set(definitions.filter((each) => each.group === group).map((each) => each.version))]
  const versions = names.map((version) => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions, preferredVersion: versions[0] }
}

function resourceList(definitions: readonly ResourceDefinition[], group: string, version: string): Dict | undefined {
  const found = definitions.filter((each) => each.group === group && each.version === version)
  if (found.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: found.flatMap((each) => [
      {
        name: each.plural,
        singularName: each.singular,
        namespaced: each.namespaced,
        kind: each.kind,
        verbs: each.verbs,
        ...(each.shortNames.length > 0 ? { shortNames: each.shortNames } : {}),
        ...(each.categories.length > 0 ? { categories: each.categories } : {}),
      },
      ...each.subresources.map((subresource) => ({
        name: `${each.plural}/${subresource.name}`,
        singularName: '',
        namespaced: each.namespaced,
        ...(subresource.group === undefined ? {} : { group: subresource.group, version: subresource.version }),
        kind: subresource.kind,
        verbs: subresource.verbs,
      })),
    ]),
  }
}

/** apidiscovery.k8s.io/v2: everything in one answer, which kubectl asks for first. */
function aggregated(definitions: readonly ResourceDefinition[]): Dict {
  const groups = [...new Set(definitions.map((each) => each.group))]
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => {
      const members = definitions.filter((each) => each.group === group)
      return {
        metadata: group === '' ? {} : { name: group },
        versions: [...new Set(members.map((each) => each.version))].map((version) => ({
          version,
          freshness: 'Current',
          resources: members.filter((each) => each.version === version).map(aggregatedResource),
        })),
      }
    }),
  }
}

function aggregatedResource(definition: ResourceDefinition): Dict {
  const { group, version, kind } = definition
  return {
    resource: definition.plural,
    responseKind: { group, version, kind },
    scope: definition.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: definition.singular,
    verbs: definition.verbs,
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
    ...(definition.subresources.length > 0
      ? {
          subresources: definition.subresources.map((each) => ({
            subresource: each.name,
            responseKind: { group: each.group ?? group, version: each.version ?? version, kind: each.kind },
            verbs: each.verbs,
          })),
        }
      : {}),
  }
}

/** Content type of an aggregated answer, which clients check. */
export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

export function isAggregated(body: Dict): boolean {
  return body.apiVersion === 'apidiscovery.k8s.io/v2' && body.kind === 'APIGroupDiscoveryList'
}
