import type { ResourceType } from './types.ts'

/** Path of a collection, of an object, or of an object's subresource, at the API server. */
export function pathOf(type: ResourceType, namespace: string | undefined, name?: string, subresource?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`
  const place = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`
  return `${root}${place}/${type.plural}${object}${subresource === undefined ? '' : `/${subresource}`}`
}

/** `?a=b&c=d`, or '' where nothing is set. */
export function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(key, String(value))
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

/** What a path asks for, as RBAC sees it; only `path` where it is no resource. */
export function resourceInPath(path: string): {
  group?: string
  resource?: string
  namespace?: string
  name?: string
} {
  const plain = path.split('?')[0] ?? ''
  const found =
    /^\/(?:api\/[^/]+|apis\/([^/]+)\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/[^/]))?\/([^/]+)(?:\/([^/]+)(?:\/([^/]+))?)?/.exec(
      plain,
    )
  if (found === null) return {}
  const [, group = '', namespace, plural, name, subresource] = found
  return {
    group,
    resource: subresource === undefined ? (plural ?? '') : `${plural}/${subresource}`,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name: decodeURIComponent(name).replace(/^https?:|:\d+$/g, '') }),
  }
}
