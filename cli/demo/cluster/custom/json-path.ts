import { isDict } from '../json.ts'

/**
 * The first value of a simple JSONPath, as additionalPrinterColumns use them: `.spec.ports[*].port`,
 * `.status.conditions[?(@.type=="Ready")].status`, `.metadata.annotations['a\.b']`. Lists of values are joined with commas.
 */
export function jsonPath(object: unknown, path: string): unknown {
  let found: unknown[] = [object]
  let several = false
  for (const token of tokensOf(path)) {
    if (token === '[*]') {
      several = true
      found = found.flatMap((value) => (Array.isArray(value) ? value : isDict(value) ? Object.values(value) : []))
      continue
    }
    const filter = /^\[\?\(@\.([\w.-]+)\s*==\s*["'](.*)["']\)\]$/.exec(token)
    if (filter) {
      const [, key = '', wanted] = filter
      found = found.flatMap((value) =>
        Array.isArray(value) ? value.filter((item) => String(jsonPath(item, `.${key}`)) === wanted) : [],
      )
      continue
    }
    const index = /^\[(-?\d+)\]$/.exec(token)?.[1]
    found = found
      .map((value) =>
        index === undefined
          ? isDict(value)
            ? value[token]
            : undefined
          : Array.isArray(value)
            ? value.at(Number(index))
            : undefined,
      )
      .filter((value) => value !== undefined)
  }
  return several && found.length > 1 ? found.join(',') : found[0]
}

function tokensOf(path: string): string[] {
  const tokens: string[] = []
  for (const [whole, quoted, plain] of path.matchAll(/\['((?:[^'\\]|\\.)+)'\]|\.((?:[^.[\\]|\\.)+)|\[[^\]]+\]/g)) {
    tokens.push((quoted ?? plain)?.replaceAll(/\\(.)/g, '$1') ?? whole)
  }
  return tokens
}
