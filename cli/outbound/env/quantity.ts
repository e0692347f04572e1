import { InterceptError } from '../../../src/errors.ts'

/** An exact number: numerator and denominator, the latter above zero. */
interface Ratio {
  readonly over: bigint
  readonly under: bigint
}

const suffixes: ReadonlyMap<string, Ratio> = new Map([
  ['', whole(1n)],
  ...['n', 'u', 'm'].map((suffix, index): [string, Ratio] => [suffix, { over: 1n, under: 1000n ** BigInt(3 - index) }]),
  ...['k', 'M', 'G', 'T', 'P', 'E'].map((suffix, index): [string, Ratio] => [
    suffix,
    whole(1000n ** BigInt(index + 1)),
  ]),
  ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, index): [string, Ratio] => [
    suffix,
    whole(1024n ** BigInt(index + 1)),
  ]),
])

function whole(over: bigint): Ratio {
  return { over, under: 1n }
}

/** `quantity / divisor`, rounded up, as the downward API has it. A divisor of zero counts as 1. @throws 'bad-quantity' */
export function divideUp(quantity: string | number, divisor: string | number): bigint {
  const [a, given] = [parse(String(quantity)), parse(String(divisor))]
  const b = given.over === 0n ? whole(1n) : given
  const [over, under] = [a.over * b.under, a.under * b.over]
  const down = over / under
  return over % under > 0n ? down + 1n : down
}

export const isZero = (quantity: string | number): boolean => parse(String(quantity)).over === 0n

/** `1500m`, `1.5`, `64Mi`, `2e3`. */
function parse(text: string): Ratio {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text)
  const [, sign = '', digits = '', fraction = '', exponent = '0', suffix = ''] = found ?? []
  const unit = suffixes.get(suffix)
  if (!found || !unit || digits + fraction === '') {
    throw new InterceptError('bad-quantity', `"${text}" is not a quantity such as 500m or 64Mi`)
  }
  const number = BigInt(digits + fraction) * (sign === '-' ? -1n : 1n)
  const power = Number(exponent) - fraction.length
  const ten = 10n ** BigInt(Math.abs(power))
  return power >= 0
    ? { over: number * ten * unit.over, under: unit.under }
    : { over: number * unit.over, under: ten * unit.under }
}
