/**
 * The value of the first list member of that name in a W3C `baggage` header (its fields joined by commas): decoded,
 * without properties. Undefined where there is none.
 */
export function baggageMember(header: string, name: string): string | undefined {
  for (const member of header.split(',')) {
    const semicolon = member.indexOf(';')
    const pair = semicolon < 0 ? member : member.slice(0, semicolon)
    const equals = pair.indexOf('=')
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue
    return percentDecoded(pair.slice(equals + 1).trim())
  }
  return undefined
}

/** What is not a percent-encoded octet stays as it is. */
function percentDecoded(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (octets) =>
    Buffer.from(octets.replaceAll('%', ''), 'hex').toString('utf8'),
  )
}
