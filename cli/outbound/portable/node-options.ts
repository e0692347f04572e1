import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { InterceptError } from '../../../src/errors.ts'

/**
 * NODE_OPTIONS with one that runs a file first, in the program and in every Node that it starts. `--require` rather than
 * `--import`: every Node knows it, and it is done before the program's first line.
 * @param existing what the environment has; it is kept, and comes after
 */
export function withPreload(path: string, existing: string | undefined): string {
  return [`--require ${quoted(path)}`, existing].filter(Boolean).join(' ')
}

/** As Node reads it (node.1, NODE_OPTIONS): quotes keep spaces, a backslash in quotes keeps what follows it. */
function quoted(text: string): string {
  return /[\s"\\]/.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : text
}

/** @returns the built preload, which lies beside the built CLI @throws InterceptError 'preload-missing' */
export function preloadPath(): string {
  // Beside the bundle; or in dist/, where the CLI runs from its sources.
  const places = ['preload.cjs', '../../../dist/preload.cjs'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  const found = places.find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new InterceptError('preload-missing', `${places[0]} is missing`, { fix: 'node build.mjs' })
}
