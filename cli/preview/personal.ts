import type { IncomingHttpHeaders } from 'node:http'
import { InterceptError } from '../../src/errors.ts'
import { personalBaggage } from '../../src/http/personal-fields.ts'
import { isPersonName } from '../../src/match/person.ts'
import { PERSONAL_HEADER } from '../../src/match/request-parts.ts'

/** What a preview adds to each request. */
export interface Personal {
  /** The name of `--as`; undefined: none. */
  readonly name: string | undefined
  /** Further headers, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>
}

/** @param headers `name=value` each. @throws InterceptError 'usage', 'bad-name', 'bad-header' */
export function parsePersonal(name: string | undefined, headers: readonly string[]): Personal {
  if (name === undefined && headers.length === 0) {
    throw new InterceptError('usage', 'whose requests are these? --as is missing', {
      fix: 'intercept preview svc/NAME --as YOUR-NAME',
    })
  }
  if (name !== undefined && !isPersonName(name)) {
    throw new InterceptError('bad-name', `--as '${name}': small letters, digits and dashes, at most 63`, {
      fix: '--as ada',
    })
  }
  return { name, headers: new Map(headers.map(parseHeader)) }
}

function parseHeader(text: string): [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([\x20-\x7e]*)$/.exec(text) ?? []
  if (name === undefined || value === undefined) {
    throw new InterceptError('bad-header', `"${text}" is not a header: NAME=VALUE`, { fix: "--header 'x-tenant=42'" })
  }
  return [name.toLowerCase(), value]
}

/** Makes the request hers: her header, and W3C baggage, which services with OpenTelemetry pass on. */
export function personalize(headers: IncomingHttpHeaders, { name, headers: more }: Personal): void {
  for (const [key, value] of more) headers[key] = value
  if (name === undefined) return
  headers[PERSONAL_HEADER] = name
  headers.baggage = personalBaggage([headers.baggage ?? []].flat(), name)
}
