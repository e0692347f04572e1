import type { Dict } from '../json.ts'
import type { Catalogue } from '../resources/catalogue.ts'
import { apiVersionOf, type ResourceDefinition } from '../resources/definition.ts'

/**
 * /openapi/v3, with no more than kubectl needs: which kinds exist, and that the server validates fields itself. Field by
 * field schemas are not served, so that `kubectl explain` has nothing to say.
 */
export function openApi(path: string, catalogue: Catalogue): Dict | undefined {
  if (path === '/openapi/v3') {
    const groupVersions = [...new Set(catalogue.all().map(pathOf))]
    return {
      paths: Object.fromEntries(
        groupVersions.map((each) => [each, { serverRelativeURL: `/openapi/v3/${each}?hash=0` }]),
      ),
    }
  }
  if (!path.startsWith('/openapi/v3/')) return undefined
  const wanted = path.slice('/openapi/v3/'.length)
  const definitions = catalogue.all().filter((each) => pathOf(each) === wanted)
  if (definitions.length === 0) return undefined
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.34.4' },
    paths: Object.fromEntries(
      definitions.map((each) => [
        `/${wanted}/${each.namespaced ? 'namespaces/{namespace}/' : ''}${each.plural}/{name}`,
        { patch: patchOf(each) },
      ]),
    ),
    components: { schemas: Object.fromEntries(definitions.map((each) => [schemaName(each), schemaOf(each)])) },
  }
}

function pathOf(definition: ResourceDefinition): string {
  return definition.group === '' ? `api/${definition.version}` : `apis/${apiVersionOf(definition)}`
}

function schemaName({ group, version, kind }: ResourceDefinition): string {
  return `${group === '' ? 'core' : group}.${version}.${kind}`
}

function kindOf({ group, version, kind }: ResourceDefinition): Dict {
  return { group, version, kind }
}

function patchOf(definition: ResourceDefinition): Dict {
  return {
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': kindOf(definition),
    parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({
      name,
      in: 'query',
      schema: { type: 'string', uniqueItems: true },
    })),
    responses: { 200: { description: 'OK' } },
  }
}

function schemaOf(definition: ResourceDefinition): Dict {
  return {
    type: 'object',
    'x-kubernetes-group-version-kind': [kindOf(definition)],
    'x-kubernetes-preserve-unknown-fields': true,
  }
}
