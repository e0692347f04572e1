import { type ClusterView, interceptKeyOf } from '../controller/cluster-view.ts'
import type { Reach } from '../outbound/reach.ts'

/** How long a laptop may be ahead of our watch: it dials while its object is on the way. Milliseconds. */
const watchLagMs = 5_000

/** What a key opens. */
export interface Opened {
  /** Intercepts, by `namespace/name`. */
  readonly intercepts: readonly string[]
  /** The name of a Connection, with its namespace. */
  readonly connection: string | undefined
}

/** What a key opens now; undefined: nothing. */
export function openedBy(view: ClusterView, publicKey: string): Opened | undefined {
  const intercepts = view.intercepts.filter(({ spec }) => spec.publicKey === publicKey).map(interceptKeyOf)
  const connection = view.connections.find(({ spec }) => spec.publicKey === publicKey)?.metadata
  if (intercepts.length === 0 && !connection) return undefined
  return { intercepts, connection: connection && `${connection.namespace}/${connection.name}` }
}

/** How far the Connections of a key reach now. Whoever else names a key in his own only adds to its reach. */
export function reachesOf(view: ClusterView, publicKey: string): Reach[] {
  return view.connections
    .filter(({ spec }) => spec.publicKey === publicKey)
    .map(({ metadata, spec }) => ({ namespace: metadata.namespace, anywhere: spec.reach === 'anywhere' }))
}

/** What a key opens; waits for the watch to bring it. Undefined where it brings nothing. */
export async function authorize(view: ClusterView, publicKey: string): Promise<Opened | undefined> {
  const found = openedBy(view, publicKey)
  if (found) return found
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(undefined), watchLagMs)
    const stop = view.onChange(() => {
      const arrived = openedBy(view, publicKey)
      if (arrived) finish(arrived)
    })
    const finish = (opened: Opened | undefined): void => {
      clearTimeout(timer)
      stop()
      resolve(opened)
    }
  })
}
