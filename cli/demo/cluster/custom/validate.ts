import type { FieldError } from '../api-error.ts'
import { isDict, sameJson } from '../json.ts'
import { checkFormat } from './format.ts'
import type { Schema } from './schema.ts'

/** Errors of a value against a structural schema, worded as the API server words them. */
export function validateValue(value: unknown, schema: Schema, path: string): FieldError[] {
  const at = path === '' ? '<nil>' : path
  if (value === null) {
    if (schema.nullable || schema.type === undefined) return []
    return [typeError(at, 'null', schema.type)]
  }
  const wrongType = typeMismatch(value, schema)
  if (wrongType) return [typeError(at, wrongType, schema.type ?? '')]
  const errors: FieldError[] = []
  if (schema.enum && !schema.enum.some((each) => sameJson(each, value))) {
    const supported = schema.enum.map((each) => JSON.stringify(each)).join(', ')
    const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`
    errors.push({ reason: 'FieldValueNotSupported', field: at, message })
  }
  if (typeof value === 'string') errors.push(...stringErrors(value, schema, at))
  if (typeof value === 'number') errors.push(...numberErrors(value, schema, at))
  if (Array.isArray(value)) errors.push(...listErrors(value, schema, path))
  if (isDict(value)) errors.push(...objectErrors(value, schema, path))
  for (const part of schema.allOf ?? []) errors.push(...validateValue(value, part, path))
  const fits = (part: Schema) => validateValue(value, part, path).length === 0
  if (schema.anyOf && !schema.anyOf.some(fits))
    errors.push(invalid(at, value, 'must validate at least one schema (anyOf)'))
  if (schema.oneOf && schema.oneOf.filter(fits).length !== 1) {
    errors.push(invalid(at, value, 'must validate one and only one schema (oneOf)'))
  }
  if (schema.not && fits(schema.not)) errors.push(invalid(at, value, 'must not validate the schema (not)'))
  return errors
}

function stringErrors(value: string, schema: Schema, at: string): FieldError[] {
  const errors: FieldError[] = []
  const length = [...value].length
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    errors.push({
      reason: 'FieldValueTooLong',
      field: at,
      message: `Too long: may not be more than ${schema.maxLength} bytes`,
    })
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    errors.push(invalid(at, value, `${at} in body should be at least ${schema.minLength} chars long`))
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
    errors.push(invalid(at, value, `${at} in body should match '${schema.pattern}'`))
  }
  if (schema.format !== undefined && !checkFormat(value, schema.format)) {
    errors.push(invalid(at, value, `${at} in body must be of type ${schema.format}: ${JSON.stringify(value)}`))
  }
  return errors
}

function numberErrors(value: number, schema: Schema, at: string): FieldError[] {
  const errors: FieldError[] = []
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    errors.push(
      invalid(at, value, `${at} in body should be greater than${exclusiveMinimum ? '' : ' or equal to'} ${minimum}`),
    )
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    errors.push(
      invalid(at, value, `${at} in body should be less than${exclusiveMaximum ? '' : ' or equal to'} ${maximum}`),
    )
  }
  if (multipleOf !== undefined && value % multipleOf !== 0) {
    errors.push(invalid(at, value, `${at} in body should be a multiple of ${multipleOf}`))
  }
  return errors
}

function listErrors(value: readonly unknown[], schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    const message = `Too many: ${value.length}: must have at most ${schema.maxItems} items`
    errors.push({ reason: 'FieldValueTooMany', field: path, message })
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    errors.push(invalid(path, value.length, `${path} in body should have at least ${schema.minItems} items`))
  }
  const keys = schema['x-kubernetes-list-map-keys']
  const type = schema['x-kubernetes-list-type']
  if (schema.uniqueItems || type === 'set' || type === 'map') {
    const identity = (item: unknown) => (type === 'map' && isDict(item) ? (keys ?? []).map((key) => item[key]) : item)
    for (const [index, item] of value.entries()) {
      const first = value.findIndex((other) => sameJson(identity(other), identity(item)))
      if (first >= index) continue
      const named = isDict(item) && keys ? Object.fromEntries(keys.map((key) => [key, item[key]])) : item
      errors.push({
        reason: 'FieldValueDuplicate',
        field: `${path}[${index}]`,
        message: `Duplicate value: ${JSON.stringify(named)}`,
      })
    }
  }
  const { items } = schema
  if (items) errors.push(...value.flatMap((item, index) => validateValue(item, items, `${path}[${index}]`)))
  return errors
}

function objectErrors(value: Record<string, unknown>, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = []
  const join = (key: string) => (path === '' ? key : `${path}.${key}`)
  const count = Object.keys(value).length
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    const message = `Too many: ${count}: must have at most ${schema.maxProperties} items`
    errors.push({ reason: 'FieldValueTooMany', field: path, message })
  }
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    errors.push(invalid(path, count, `${path} in body should have at least ${schema.minProperties} properties`))
  }
  for (const key of schema.required ?? []) {
    if (value[key] === undefined)
      errors.push({ reason: 'FieldValueRequired', field: join(key), message: 'Required value' })
  }
  for (const [key, child] of Object.entries(value)) {
    const known = schema.properties?.[key]
    if (known && child !== undefined) errors.push(...validateValue(child, known, join(key)))
    else if (!known && typeof schema.additionalProperties === 'object') {
      errors.push(...validateValue(child, schema.additionalProperties, join(key)))
    }
  }
  return errors
}

/** The JSON type of the value where it is not that of the schema. */
function typeMismatch(value: unknown, schema: Schema): string | undefined {
  if (schema['x-kubernetes-int-or-string'])
    return typeof value === 'string' || Number.isInteger(value) ? undefined : typeName(value)
  switch (schema.type) {
    case undefined:
      return undefined
    case 'integer':
      return Number.isInteger(value) ? undefined : typeName(value)
    case 'number':
      return typeof value === 'number' ? undefined : typeName(value)
    default:
      return typeName(value) === schema.type ? undefined : typeName(value)
  }
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (isDict(value)) return 'object'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value
}

function typeError(field: string, found: string, wanted: string): FieldError {
  const message = `Invalid value: ${JSON.stringify(found)}: ${field} in body must be of type ${wanted}: ${JSON.stringify(found)}`
  return { reason: 'FieldValueTypeInvalid', field, message }
}

function invalid(field: string, value: unknown, why: string): FieldError {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` }
}
