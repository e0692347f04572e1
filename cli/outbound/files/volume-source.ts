import type { DownwardFile, KeyToPath } from '../../../src/kube/objects.ts'

/** One source of a volume's files. `mode`: of files that have none of their own. */
export type VolumeSource =
  | {
      readonly kind: 'config-map' | 'secret'
      readonly name: string
      readonly items: readonly KeyToPath[] | undefined
      readonly optional: boolean
      readonly mode: number
    }
  | { readonly kind: 'downward'; readonly items: readonly DownwardFile[]; readonly mode: number }
  | {
      readonly kind: 'token'
      readonly path: string
      /** undefined: that of the API server. */
      readonly audience: string | undefined
      readonly seconds: number
      readonly mode: number
    }
  | { readonly kind: 'unavailable'; readonly path: string | undefined; readonly why: string }
