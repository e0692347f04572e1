import type { Match } from '../resource/match-schema.ts'

type Named = { readonly name: string; readonly equals?: string | undefined; readonly regex?: string | undefined }
type PathMatch = NonNullable<Match['paths']>[number]

/** For people: `as ada`, `x-user = ada and path /orders/*`, `everything`. */
export function describeMatch(match: Match | undefined): string {
  if (!match) return 'everything'
  const { as, headers, paths, methods, queries, hosts, grpc, percent } = match
  const parts = [
    as === undefined ? undefined : `as ${as}`,
    anyOf(methods),
    anyOf(paths?.map((path) => `path ${pathText(path)}`)),
    anyOf(headers?.map((header) => condition(header, header.name.toLowerCase()))),
    anyOf(queries?.map((query) => condition(query, `query ${query.name}`))),
    anyOf(hosts?.map((host) => `host ${host.toLowerCase()}`)),
    anyOf(grpc?.map(({ service, method }) => `grpc ${grpcText(service, method)}`)),
    percent && `${percent.value} %${percent.header === undefined ? '' : ` by ${percent.header.toLowerCase()}`}`,
  ].filter((part) => part !== undefined)
  return parts.join(' and ')
}

/** The words of the command line that give this match, not quoted for a shell. */
export function flagsOf(match: Match): string[] {
  const { as, headers = [], paths = [], methods = [], queries = [], hosts = [], grpc = [], percent } = match
  return [
    ...(as === undefined ? [] : ['--as', as]),
    ...methods.flatMap((method) => ['--method', method]),
    ...paths.flatMap((path) => ['--path', pathFlag(path)]),
    ...headers.flatMap((header) => ['--header', flagValue(header)]),
    ...queries.flatMap((query) => ['--query', flagValue(query)]),
    ...hosts.flatMap((host) => ['--host', host]),
    ...grpc.flatMap(({ service, method }) => ['--grpc', grpcText(service, method)]),
    ...(percent ? ['--percent', `${percent.value}${percent.header === undefined ? '' : `:${percent.header}`}`] : []),
  ]
}

function anyOf(texts: readonly string[] | undefined): string | undefined {
  if (!texts) return undefined
  return texts.length > 1 ? `(${texts.join(' or ')})` : texts[0]
}

const pathText = ({ equals, prefix, regex }: PathMatch): string =>
  equals ?? (prefix === undefined ? `~${regex}` : `${prefix}*`)

/** As the command line has it, where a star ends a prefix and a tilde begins a regex. */
function pathFlag(path: PathMatch): string {
  const text = path.equals ?? path.prefix
  const isPlain = text === undefined || /^\/[^*?#]*$/.test(text) || path.equals === '*'
  return isPlain ? pathText(path) : `~${quoted(text)}${path.equals === undefined ? '.*' : ''}`
}

/** A regex of RE2 that matches this text. */
const quoted = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')

const grpcText = (service: string, method: string | undefined): string =>
  method === undefined ? service : `${service}/${method}`

function condition({ equals, regex }: Named, name: string): string {
  if (equals !== undefined) return `${name} = ${equals === '' ? "''" : equals}`
  return regex === undefined ? `${name} present` : `${name} ~ ${regex}`
}

function flagValue({ name, equals, regex }: Named): string {
  if (equals !== undefined) return `${name}=${equals}`
  return regex === undefined ? name : `${name}~${regex}`
}
