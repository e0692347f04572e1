import { posix } from 'node:path'

/** Bytes, as the kubelet's writer of volumes has them. */
const limits = { path: 4096, name: 255 } as const

/**
 * A path of a file within a volume, cleaned; or why it is none. Names that begin with `..` at the top are the writer's
 * own. As the kubelet (pkg/volume/util, atomic_writer.go) and the API server judge it.
 */
export function filePath(path: string): { readonly path: string } | { readonly why: string } {
  const inside = insidePath(path)
  if ('why' in inside) return inside
  if (inside.path === '') return { why: 'is empty' }
  if (inside.path.startsWith('..')) return { why: 'begins with ..' }
  return inside
}

/** A path that stays within a volume, cleaned; '' is the volume itself. */
export function insidePath(path: string): { readonly path: string } | { readonly why: string } {
  if (path.includes('\0')) return { why: 'has a NUL' }
  if (posix.isAbsolute(path)) return { why: 'is absolute' }
  if (Buffer.byteLength(path) > limits.path) return { why: `is longer than ${limits.path} bytes` }
  const names = path.split('/')
  if (names.includes('..')) return { why: 'leaves the volume' }
  if (names.some((name) => Buffer.byteLength(name) > limits.name)) {
    return { why: `has a name of more than ${limits.name} bytes` }
  }
  const clean = posix.normalize(path).replace(/\/$/, '')
  return { path: clean === '.' ? '' : clean }
}

/** The mount path of a container, from its root, cleaned: as a container runtime reads it, which never leaves the root. */
export function mountPathOf(path: string): string {
  return posix.normalize(`/${path}`).replace(/(?<=.)\/$/, '')
}

/** The path within `folder`; undefined where it is not below it. Both are cleaned. */
export function below(folder: string, path: string): string | undefined {
  const prefix = folder === '/' ? folder : `${folder}/`
  return path.startsWith(prefix) && path !== prefix ? path.slice(prefix.length) : undefined
}
