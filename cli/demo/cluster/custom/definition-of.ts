import type { KubeObject } from '../../../../src/kube/types.ts'
import type { FieldError } from '../api-error.ts'
import { type Dict, isDict } from '../json.ts'
import { age } from '../resources/cells.ts'
import { type Column, defaultColumns } from '../resources/columns.ts'
import { type ResourceDefinition, type Subresource, storedVerbs } from '../resources/definition.ts'
import { schemaShape, withMetadata } from '../store/shape.ts'
import { applyDefaults } from './apply-defaults.ts'
import { jsonPath } from './json-path.ts'
import { prune } from './prune.ts'
import type { Schema } from './schema.ts'
import { validateValue } from './validate.ts'
import { validateRules } from './validate-rules.ts'

export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string
    scope: 'Namespaced' | 'Cluster'
    names: {
      plural: string
      kind: string
      singular?: string
      listKind?: string
      shortNames?: string[]
      categories?: string[]
    }
    versions: CustomVersion[]
  }
  status?: object
}

export interface CustomVersion {
  name: string
  served: boolean
  storage: boolean
  schema?: { openAPIV3Schema?: Schema }
  subresources?: { status?: object; scale?: object }
  additionalPrinterColumns?: PrinterColumn[]
  selectableFields?: { jsonPath: string }[]
}

interface PrinterColumn {
  name: string
  type: string
  jsonPath: string
  description?: string
  format?: string
  priority?: number
}

/** What the API server serves for one version of a CustomResourceDefinition. */
export function definitionOf(crd: CustomResourceDefinition, version: CustomVersion): ResourceDefinition {
  const { group, scope, names } = crd.spec
  const schema = version.schema?.openAPIV3Schema ?? {}
  const rooted: Schema = {
    ...schema,
    properties: { ...schema.properties, apiVersion: {}, kind: {}, metadata: { additionalProperties: true } },
  }
  const subresources: Subresource[] = version.subresources?.status
    ? [{ name: 'status', kind: names.kind, verbs: ['get', 'patch', 'update'] }]
    : []
  return {
    group,
    version: version.name,
    plural: names.plural,
    kind: names.kind,
    key: `${names.plural}.${group}`,
    namespaced: scope === 'Namespaced',
    listKind: names.listKind ?? `${names.kind}List`,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs: storedVerbs,
    subresources,
    shape: withMetadata(schemaShape(schema)),
    hasStatus: subresources.length > 0,
    hasGeneration: true,
    returnsDeleted: false,
    columns: version.additionalPrinterColumns?.map(columnOf) ?? defaultColumns,
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath: path }) => path.replace(/^\./, '')),
    prune: (object) => prune(object, rooted, ''),
    defaults: (object) => applyDefaults(object, rooted),
    validate: (object, previous) => validate(object, previous, schema),
  }
}

function validate(object: Dict, previous: Dict | undefined, schema: Schema): FieldError[] {
  const { metadata: _, apiVersion: __, kind: ___, ...body } = object
  const { metadata: _m, apiVersion: _a, kind: _k, ...properties } = schema.properties ?? {}
  const errors = validateValue(body, { ...schema, properties }, '')
  return errors.length > 0 ? errors : validateRules(object, previous, schema, '')
}

function columnOf({ name, type, jsonPath: path, description = '', format = '', priority = 0 }: PrinterColumn): Column {
  return {
    name,
    type,
    description,
    format,
    priority,
    cell: (object) => {
      const value = jsonPath(object, path)
      if (value === undefined || value === null) return null
      if (type === 'date') return age(value)
      return isDict(value) || Array.isArray(value) ? JSON.stringify(value) : value
    },
  }
}
