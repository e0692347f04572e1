import { InterceptError } from '../../src/errors.ts'

/** How far a login reaches. */
export interface Reach {
  readonly namespace: string
  readonly anywhere: boolean
}

export const leadsAnywhere = (reaches: readonly Reach[]): boolean => reaches.some(({ anywhere }) => anywhere)

/** Whether the Services of a namespace are within reach. */
export const leadsTo = (reaches: readonly Reach[], namespace: string): boolean =>
  reaches.some((reach) => reach.anywhere || reach.namespace === namespace)

/** 'not-allowed', for a place where these reaches do not lead. */
export function outOfReach(reaches: readonly Reach[]): InterceptError {
  const [first] = reaches
  return new InterceptError(
    'not-allowed',
    first
      ? `this Connection reaches only Services of namespace ${first.namespace}`
      : 'no Connection of yours is in the cluster: it was ended or has expired',
  )
}
