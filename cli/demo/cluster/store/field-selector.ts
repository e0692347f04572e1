import type { KubeObject } from '../../../../src/kube/types.ts'
import { ApiError } from '../api-error.ts'
import { dig } from '../json.ts'

export type FieldSelector = (object: KubeObject) => boolean

/** Field labels beyond metadata.name and metadata.namespace, for each resource. The value is what a missing field equals. */
const supported: Record<string, Record<string, string>> = {
  pods: {
    'spec.nodeName': '',
    'spec.restartPolicy': '',
    'spec.schedulerName': '',
    'spec.serviceAccountName': '',
    'spec.hostNetwork': 'false',
    'status.phase': '',
    'status.podIP': '',
    'status.nominatedNodeName': '',
  },
  services: { 'spec.clusterIP': '', 'spec.type': '' },
  secrets: { type: '' },
  namespaces: { 'status.phase': '' },
  nodes: { 'spec.unschedulable': 'false' },
  jobs: { 'status.successful': '0' },
  events: {
    'involvedObject.kind': '',
    'involvedObject.namespace': '',
    'involvedObject.name': '',
    'involvedObject.uid': '',
    'involvedObject.apiVersion': '',
    'involvedObject.resourceVersion': '',
    'involvedObject.fieldPath': '',
    reason: '',
    reportingComponent: '',
    source: '',
    type: '',
  },
}

/** `a=b,c!=d`. `extra` are selectableFields of a custom resource, without the leading dot. Throws BadRequest. */
export function parseFieldSelector(text: string, resource: string, extra: readonly string[] = []): FieldSelector {
  const terms = text
    .split(',')
    .filter((term) => term !== '')
    .map((term) => {
      const [, field, operator, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? []
      if (field === undefined || value === undefined) {
        throw ApiError.badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
      }
      const known = supported[resource]
      const fallback =
        field === 'metadata.name' || field === 'metadata.namespace' || extra.includes(field) ? '' : known?.[field]
      if (fallback === undefined) throw ApiError.badRequest(`field label not supported: ${field}`)
      return { path: field.split('.'), wanted: value, negated: operator === '!=', fallback }
    })
  return (object) =>
    terms.every(({ path, wanted, negated, fallback }) => {
      const found = dig(object, ...path)
      return (String(found ?? fallback) === wanted) !== negated
    })
}
