import { ApiError } from '../api-error.ts'
import { type Dict, ensureDict, isDict } from '../json.ts'
import { timestamp } from '../timestamp.ts'
import { protobufMessages } from './messages.ts'

const magic = Buffer.from('k8s\0')

/**
 * The JSON of an object in Kubernetes' protobuf: `k8s\0`, then runtime.Unknown with apiVersion, kind and the message.
 * Throws ApiError for kinds that are not in the table.
 */
export function decodeProtobuf(body: Buffer): Dict {
  if (!body.subarray(0, magic.length).equals(magic)) throw unsupported('the body is no Kubernetes protobuf')
  let type: Buffer | undefined
  let raw: Buffer = Buffer.alloc(0)
  for (const { number, value } of fieldsOf(body.subarray(magic.length))) {
    if (number === 1) type = value as Buffer
    if (number === 2) raw = value as Buffer
  }
  const names = new Map(fieldsOf(type ?? raw).map(({ number, value }) => [number, String(value)]))
  const [apiVersion, kind = ''] = [names.get(1), names.get(2)]
  if (protobufMessages[kind] === undefined) throw unsupported(`${kind} is not understood as protobuf`)
  return { apiVersion, kind, ...message(kind, raw) }
}

function unsupported(why: string): ApiError {
  const accepted = 'accepted media types include: application/json, application/yaml'
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${why}) - ${accepted}`,
  )
}

interface Field {
  readonly name: string
  readonly mark: string
  readonly type: string
}

const tables = new Map<string, Map<number, Field>>()

function tableOf(name: string): Map<number, Field> {
  let table = tables.get(name)
  if (!table) {
    table = new Map()
    for (const entry of (protobufMessages[name] ?? '').split(', ').filter(Boolean)) {
      const [number, field = '', typed = ''] = entry.split(' ')
      const mark = /^[*%~]/.exec(typed)?.[0] ?? ''
      table.set(Number(number), { name: field, mark, type: typed.slice(mark.length) })
    }
    tables.set(name, table)
  }
  return table
}

function message(type: string, bytes: Buffer): Dict {
  const object: Dict = {}
  for (const { number, value } of fieldsOf(bytes)) {
    const field = tableOf(type).get(number)
    if (!field) continue
    if (field.mark === '%') {
      const entry = new Map(fieldsOf(value as Buffer).map((pair) => [pair.number, pair.value]))
      const map = ensureDict(object, field.name)
      map[String(entry.get(1) ?? '')] = scalar(field.type, entry.get(2) ?? Buffer.alloc(0)) ?? ''
      continue
    }
    const decoded = scalar(field.type, value)
    if (field.mark === '~') Object.assign(object, decoded)
    else if (field.mark === '*') object[field.name] = [...((object[field.name] as unknown[]) ?? []), decoded]
    else if (!isOmitted(field, decoded)) object[field.name] = decoded
  }
  return object
}

function scalar(type: string, value: Buffer | bigint): unknown {
  switch (type) {
    case 's':
      return String(value)
    case 'i':
      return Number(BigInt.asIntN(64, value as bigint))
    case 'b':
      return value !== 0n
    case 'y':
      return (value as Buffer).toString('base64')
    case 't': {
      const seconds = fieldsOf(value as Buffer).find(({ number }) => number === 1)?.value
      return typeof seconds === 'bigint' && seconds > 0n ? timestamp(new Date(Number(seconds) * 1_000)) : undefined
    }
    case 'q':
      return String(fieldsOf(value as Buffer).find(({ number }) => number === 1)?.value ?? '0')
    case 'x': {
      const parts = new Map(fieldsOf(value as Buffer).map((part) => [part.number, part.value]))
      return parts.get(1) === 1n ? String(parts.get(3) ?? '') : Number(parts.get(2) ?? 0n)
    }
    default: {
      const decoded = message(type, value as Buffer)
      return type === 'ExtraValue' ? (decoded.items ?? []) : decoded
    }
  }
}

/** Pointers in Go, whose zero is a value; of all other fields the zero is left out of JSON. */
const meaningfulZeros = new Set(
  'replicas terminationGracePeriodSeconds gracePeriodSeconds completions parallelism backoffLimit ttlSecondsAfterFinished revisionHistoryLimit maxSurge maxUnavailable automountServiceAccountToken enableServiceLinks emptyDir'.split(
    ' ',
  ),
)

function isOmitted({ name }: Field, value: unknown): boolean {
  if (value === undefined) return true
  if (meaningfulZeros.has(name)) return false
  return value === '' || value === 0 || value === false || (isDict(value) && Object.keys(value).length === 0)
}

/** Fields in the order of the wire; length-delimited ones as bytes, varints as bigint. */
function fieldsOf(bytes: Buffer): { number: number; value: Buffer | bigint }[] {
  const fields: { number: number; value: Buffer | bigint }[] = []
  let at = 0
  const varint = (): bigint => {
    let result = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at]
      if (byte === undefined || shift > 63n) throw unsupported('the message is cut off')
      at += 1
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return result
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const number = key >> 3
    switch (key & 7) {
      case 0:
        fields.push({ number, value: varint() })
        break
      case 2: {
        const length = Number(varint())
        if (at + length > bytes.length) throw unsupported('the message is cut off')
        fields.push({ number, value: bytes.subarray(at, at + length) })
        at += length
        break
      }
      case 1:
        at += 8
        break
      case 5:
        at += 4
        break
      default:
        throw unsupported('the message has groups')
    }
  }
  return fields
}
