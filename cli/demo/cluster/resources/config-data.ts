import type { FieldError } from '../api-error.ts'
import { type Dict, dictOf, sameJson } from '../json.ts'

const maxBytes = 1_048_576

/** Size and immutability of ConfigMaps and Secrets. */
export function validateConfigData(object: Dict, previous: Dict | undefined): FieldError[] {
  const errors: FieldError[] = []
  let bytes = 0
  for (const value of Object.values(dictOf(object.data))) bytes += Buffer.byteLength(String(value))
  for (const value of Object.values(dictOf(object.binaryData))) bytes += Buffer.byteLength(String(value), 'base64')
  if (bytes > maxBytes) {
    errors.push({
      reason: 'FieldValueTooLong',
      field: '[]',
      message: `Too long: may not be more than ${maxBytes} bytes`,
    })
  }
  if (previous?.immutable === true) {
    for (const field of ['data', 'binaryData', 'immutable']) {
      if (sameJson(object[field], previous[field])) continue
      const message = 'Forbidden: field is immutable when `immutable` is set'
      errors.push({ reason: 'FieldValueForbidden', field, message })
    }
  }
  return errors
}
