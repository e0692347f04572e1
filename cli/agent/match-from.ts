import { InterceptError } from '../../src/errors.ts'
import { isPersonName } from '../../src/match/person.ts'
import { whyNotRegex } from '../../src/match/regex.ts'
import type { Match } from '../../src/resource/intercept.ts'
import { type ParsedOptions, textOf, textsOf } from '../command.ts'

/** Undefined where no option says anything: everything. @throws InterceptError 'bad-match' */
export function matchFrom(options: ParsedOptions): Match | undefined {
  const as = textOf(options, 'as')
  const percent = textOf(options, 'percent')
  const lists = {
    headers: textsOf(options, 'header').map(headerFrom),
    paths: textsOf(options, 'path').map(pathFrom),
    methods: textsOf(options, 'method').map(methodFrom),
    queries: textsOf(options, 'query').map(queryFrom),
    hosts: textsOf(options, 'host').map(hostFrom),
    grpc: textsOf(options, 'grpc').map(grpcFrom),
  }
  for (const [name, list] of Object.entries(lists)) {
    if (list.length > maxEntries)
      throw bad(`${list.length} ${name}: at most ${maxEntries}`, "--header 'x-user~ada|bob'")
  }
  const match: Match = {
    ...(as === undefined ? {} : { as: personFrom(as) }),
    ...(Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) as Partial<typeof lists>),
    ...(percent === undefined ? {} : { percent: percentFrom(percent) }),
  }
  return Object.keys(match).length > 0 ? match : undefined
}

const maxEntries = 16
const maxValue = 1024
const maxRegex = 512

function personFrom(text: string): string {
  if (isPersonName(text)) return text
  throw bad(`--as '${text}': small letters, digits and dashes, at most 63`, '--as ada')
}

function headerFrom(text: string): NonNullable<Match['headers']>[number] {
  return namedFrom('--header', text, /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, "--header 'x-user=ada'")
}

function queryFrom(text: string): NonNullable<Match['queries']>[number] {
  return namedFrom('--query', text, /^[^=~&#\s]{1,128}$/, "--query 'user=ada'")
}

/** 'k=v', 'k~regex', 'k' */
function namedFrom(
  flag: string,
  text: string,
  names: RegExp,
  fix: string,
): { name: string; equals?: string; regex?: string } {
  const at = text.search(/[=~]/)
  const name = at < 0 ? text : text.slice(0, at)
  if (!names.test(name)) throw bad(`${flag} '${text}': '${name}' is not a name`, fix)
  if (at < 0) return { name }
  const value = text.slice(at + 1)
  return text[at] === '=' ? { name, equals: bounded(flag, value, fix) } : { name, regex: regexFrom(flag, value, fix) }
}

function pathFrom(text: string): NonNullable<Match['paths']>[number] {
  const fix = "--path '/orders/*'"
  if (text.startsWith('~')) return { regex: regexFrom('--path', text.slice(1), "--path '~/orders/[0-9]+'") }
  if (text !== '*' && !text.startsWith('/')) throw bad(`--path '${text}': a path begins with /, a regex with ~`, fix)
  if (/[?#]/.test(text)) throw bad(`--path '${text}': a path ends before its query`, `${fix} --query 'user=ada'`)
  const star = text.indexOf('*')
  if (text === '*' || star < 0) return { equals: bounded('--path', text, fix) }
  if (star === text.length - 1) return { prefix: bounded('--path', text.slice(0, -1), fix) }
  throw bad(`--path '${text}': a star stands only at the end`, "--path '~/orders/[^/]+/items'")
}

function methodFrom(text: string): string {
  const method = text.toUpperCase()
  if (/^[A-Z][A-Z0-9_-]{0,31}$/.test(method)) return method
  throw bad(`--method '${text}': not a method of HTTP`, '--method GET')
}

function hostFrom(text: string): string {
  if (text.length <= 253 && /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(text)) return text.toLowerCase()
  throw bad(
    `--host '${text}': a host name without scheme and port`,
    "--host shop.example.com or --host '*.example.com'",
  )
}

function grpcFrom(text: string): NonNullable<Match['grpc']>[number] {
  const found = /^\/?([A-Za-z_][A-Za-z0-9_.]{0,255})(?:\/([A-Za-z_][A-Za-z0-9_]{0,127}))?$/.exec(text)
  const [, service, method] = found ?? []
  if (service === undefined) throw bad(`--grpc '${text}': SERVICE or SERVICE/METHOD`, '--grpc shop.Orders/List')
  return method === undefined ? { service } : { service, method }
}

function percentFrom(text: string): NonNullable<Match['percent']> {
  const found = /^([1-9][0-9]?)%?(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?$/.exec(text)
  const [, value, header] = found ?? []
  if (value === undefined) {
    throw bad(
      `--percent '${text}': a whole number from 1 to 99, then perhaps :HEADER`,
      '--percent 5 or --percent 5:x-user',
    )
  }
  return header === undefined ? { value: Number(value) } : { value: Number(value), header }
}

function regexFrom(flag: string, source: string, fix: string): string {
  if (source === '' || source.length > maxRegex) {
    throw bad(`${flag}: a regular expression has 1 to ${maxRegex} characters`, fix)
  }
  const why = whyNotRegex(source)
  if (why !== undefined) throw bad(`${flag} '${source}': not a regular expression of RE2: ${why}`, fix)
  return source
}

function bounded(flag: string, value: string, fix: string): string {
  if (value.length <= maxValue) return value
  throw bad(`${flag}: a value has at most ${maxValue} characters`, fix)
}

const bad = (message: string, fix: string): InterceptError => new InterceptError('bad-match', message, { fix })
