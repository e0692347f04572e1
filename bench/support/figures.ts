export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Four significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
