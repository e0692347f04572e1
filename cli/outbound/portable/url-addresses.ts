import { type FoundAddress, hostPattern, isPort, type StayReason } from './found-address.ts'
import { checksName, followsHttpsProxy, isOtherTransport, isSrv, usualPort } from './scheme.ts'

const mark = '://'
/** Longer ones are none; that bounds the look back. */
const mostSchemeLength = 32
const schemeAtEnd = /(?:^|[^A-Za-z0-9+.\-/])([A-Za-z][A-Za-z0-9+.-]*)$/
/** Nothing that ends a URL in texts, quotes and markup. */
const login = /[^\s"'<>`/?#]*@/y
const hosts = /(?:\[[0-9A-Fa-f:.]+\]|[-A-Za-z0-9_.:,])*/y
const rest = /[^\s"'<>`]*/y
const nextInList = /[,;|](?=[A-Za-z][A-Za-z0-9+.:-]*:\/\/)/
const hostAndPort = new RegExp(`^(?:\\[([0-9A-Fa-f:.]+)\\]|(${hostPattern}))(?::(\\d+))?$`)
/** A host name's 253 characters, a colon and a port. */
const mostHostLength = 259

/**
 * The hosts of all URLs in a value: alone, in lists (`http://a:1,http://b:2`), in options (`-Durl=http://a`), in JSON;
 * several hosts of one (`mongodb://a:27017,b:27017/x`), and those behind other prefixes (`jdbc:postgresql://db/x`).
 * What follows the hosts is not searched: a URL in the query of another is data. Linear in the value.
 */
export function urlAddresses(value: string): FoundAddress[] {
  const found: FoundAddress[] = []
  for (let at = value.indexOf(mark); at !== -1; ) {
    const [, scheme] = schemeAtEnd.exec(value.slice(Math.max(0, at - mostSchemeLength), at)) ?? []
    const start = at + mark.length
    const end = scheme === undefined ? start : addUrl(found, value, scheme, start)
    at = value.indexOf(mark, end)
  }
  return found
}

/** @param at where its authority begins @returns where the URL ends */
function addUrl(found: FoundAddress[], value: string, scheme: string, at: number): number {
  const hostsStart = at + textAt(login, value, at).length
  const authority = textAt(hosts, value, hostsStart)
  const all = authority.split(',')
  // Of `a:1,http://b:2` the last is the scheme of the next URL.
  if (all.length > 1 && value.startsWith('//', hostsStart + authority.length)) all.pop()
  const length = all.join(',').length
  const end = hostsStart + length + restOf(value, hostsStart + length).length
  if (isOtherTransport(scheme) || /[@:%$]/.test(value.charAt(hostsStart + authority.length))) return end
  const stays = reasonToStay(scheme, value.slice(hostsStart + length, end))
  const ofUrl = { isSure: true, saysProtocol: !/^tcp$/i.test(scheme), stays }
  let start = hostsStart
  const added: FoundAddress[] = []
  for (const text of all) {
    const address = text.length > mostHostLength ? undefined : addressOf(text, scheme)
    // One that is none makes something else of the whole.
    if (!address) return end
    added.push({ ...address, ...ofUrl, start, end: start + text.length })
    start += text.length + 1
  }
  found.push(...added)
  return end
}

function addressOf(text: string, scheme: string): Pick<FoundAddress, 'host' | 'port' | 'what'> | undefined {
  const [, bracketed, plain, written] = hostAndPort.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined) return undefined
  if (isSrv(scheme)) return { host, port: 0, what: 'host' }
  const port = written ?? String(usualPort(scheme) ?? '')
  return isPort(port) ? { host, port: Number(port), what: 'host:port' } : undefined
}

function restOf(value: string, at: number): string {
  const text = textAt(rest, value, at)
  const next = text.search(nextInList)
  return next === -1 ? text : text.slice(0, next)
}

function textAt(sticky: RegExp, value: string, at: number): string {
  sticky.lastIndex = at
  return sticky.exec(value)?.[0] ?? ''
}

function reasonToStay(scheme: string, after: string): StayReason | undefined {
  if (isSrv(scheme)) return 'srv'
  if (!checksName(scheme, after)) return undefined
  return followsHttpsProxy(scheme) ? 'https' : 'tls'
}
