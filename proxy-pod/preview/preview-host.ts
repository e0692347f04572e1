import { isPersonName } from '../../src/match/person.ts'

/** What preview host names stand for. */
export interface PreviewOptions {
  /** Names are one label below it; in lower case, with no dot at its ends. */
  readonly domain: string
  readonly namespace: string
  readonly service: string
  /** Of the Service. */
  readonly port: number
  /** The Host that the Service is asked with; undefined: the one that the client named. */
  readonly host: string | undefined
}

/** Whose preview a host is: the one label below the domain. Undefined: nobody's. @param authority host, perhaps with a port */
export function personOfHost(authority: string, domain: string): string | undefined {
  const host = authority.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
  if (!host.endsWith(`.${domain}`)) return undefined
  const name = host.slice(0, -domain.length - 1)
  return isPersonName(name) ? name : undefined
}
