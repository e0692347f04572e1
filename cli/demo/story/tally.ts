/** Who answered how many requests. */
export interface Tally {
  cluster: number
  laptop: number
  failed: number
}

export type Phase = 'before' | 'during' | 'after'

export const phases: readonly Phase[] = ['before', 'during', 'after']

export function emptyTally(): Tally {
  return { cluster: 0, laptop: 0, failed: 0 }
}
