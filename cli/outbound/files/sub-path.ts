import type { VolumeMount } from '../../../src/kube/objects.ts'
import { expand } from '../env/expansion.ts'
import type { VolumeFile, VolumeFiles } from './volume-files.ts'
import { below, insidePath } from './volume-path.ts'

/** Where in its volume a mount begins; or why nobody knows. */
export function subPathOf(
  { subPath = '', subPathExpr = '' }: VolumeMount,
  lookUp: (name: string) => string | undefined,
): { readonly path: string } | { readonly why: string } {
  if (subPathExpr === '') return named(subPath)
  const unknown: string[] = []
  const expanded = expand(subPathExpr, (name) => {
    const value = lookUp(name)
    if (value === undefined) unknown.push(name)
    return value
  })
  if (unknown.length > 0) return { why: `its subPathExpr needs ${unknown.join(', ')}, which is not known here` }
  return named(expanded)
}

function named(subPath: string): { readonly path: string } | { readonly why: string } {
  const inside = insidePath(subPath)
  return 'why' in inside ? { why: `its subPath "${subPath}" ${inside.why}` } : inside
}

/** The part of a volume's files at a sub-path: a file, or the files below it; undefined where there is none. */
export function atSubPath(files: VolumeFiles, subPath: string): VolumeFile | VolumeFiles | undefined {
  const file = files.get(subPath)
  if (file) return file
  const inside = [...files].flatMap(([path, each]): [string, VolumeFile][] => {
    const rest = below(subPath, path)
    return rest === undefined ? [] : [[rest, each]]
  })
  return inside.length > 0 ? new Map(inside) : undefined
}
