import { PERSONAL_BAGGAGE, PERSONAL_HEADER } from '../match/request-parts.ts'
import { withFields, withoutFields } from './forwarding-fields.ts'
import type { RequestMessage } from './request-message.ts'

const personalNames: ReadonlySet<string> = new Set([PERSONAL_HEADER, 'baggage'])

/**
 * The value of `baggage` with the person in the place of any other that it names (https://www.w3.org/TR/baggage/).
 * @param values of the fields that are there
 */
export function personalBaggage(values: readonly string[], name: string): string {
  const others = values
    .flatMap((list) => list.split(','))
    .map((member) => member.trim())
    .filter((member) => member !== '' && !isPersonal(member))
  return [...others, `${PERSONAL_BAGGAGE}=${name}`].join(',')
}

/** A head that is this person's: her header and baggage, whatever it said of another. @param head that `request` was read from */
export function personalHead(head: Buffer, { rawHeaders }: RequestMessage, name: string): Buffer {
  const baggage = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'baggage')
  const lines = `${PERSONAL_HEADER}: ${name}\r\nbaggage: ${personalBaggage(baggage, name)}\r\n`
  return withFields(withoutFields(head, personalNames), lines)
}

const isPersonal = (member: string): boolean => member.split(/[=;]/, 1)[0]?.trimEnd() === PERSONAL_BAGGAGE
