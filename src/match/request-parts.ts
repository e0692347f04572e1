import { baggageMember } from './baggage.ts'
import type { RequestHead } from './request.ts'

/** The header that says whose request it is. */
export const PERSONAL_HEADER = 'x-intercept'
/** The member of W3C baggage that says it, for what propagates OpenTelemetry's context. */
export const PERSONAL_BAGGAGE = 'intercept'

/**
 * The value of a header, its fields joined as HTTP has it (cookies by '; '); undefined where there is none.
 * @param name in lower case
 */
export function headerOf({ rawHeaders }: RequestHead, name: string): string | undefined {
  let value: string | undefined
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const sent = rawHeaders[index] as string
    if (sent.length !== name.length || (sent !== name && sent.toLowerCase() !== name)) continue
    const line = rawHeaders[index + 1] as string
    value = value === undefined ? line : `${value}${name === 'cookie' ? '; ' : ', '}${line}`
  }
  return value
}

/** The path as it was sent, without its query: nothing is decoded or normalized. */
export function pathOf({ target }: RequestHead): string {
  const path = afterAuthority(target)
  const question = path.indexOf('?')
  return question < 0 ? path : path.slice(0, question) || '/'
}

/** The first value of that name in the query, decoded (a plus is a space); undefined where there is none. */
export function queryOf({ target }: RequestHead, name: string): string | undefined {
  const question = target.indexOf('?')
  if (question < 0) return undefined
  return new URLSearchParams(`?${target.slice(question + 1)}`).get(name) ?? undefined
}

/** Host in lower case, without its port. */
export function hostOf({ authority }: RequestHead): string {
  return authority.replace(/:\d*$/, '').toLowerCase()
}

/** Whose the request says it is: one name, so that two names never share a request. Undefined: nobody's. */
export function personOf(request: RequestHead): string | undefined {
  const header = headerOf(request, PERSONAL_HEADER)
  if (header !== undefined) return personInHeader(header)
  const baggage = headerOf(request, 'baggage')
  return baggage === undefined ? undefined : baggageMember(baggage, PERSONAL_BAGGAGE)
}

/** Its first value. */
export function personInHeader(value: string): string {
  const comma = value.indexOf(',')
  return (comma < 0 ? value : value.slice(0, comma)).trim()
}

export function isGrpc(request: RequestHead): boolean {
  return request.method === 'POST' && (headerOf(request, 'content-type') ?? '').startsWith('application/grpc')
}

/** An absolute target's path begins after its authority. */
function afterAuthority(target: string): string {
  if (target.startsWith('/')) return target
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(target)
  if (!scheme) return target
  const end = target.slice(scheme[0].length).search(/[/?]/)
  return end < 0 ? '/' : target.slice(scheme[0].length + end)
}
