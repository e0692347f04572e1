import { join } from 'node:path'
import { expand } from '../../../outbound/env/expansion.ts'
import type { Container } from './pod.ts'

/** Where the mounted paths of a container really lie: its volumes are folders, since it has no file system of its own. */
export class Mounts {
  readonly #folders: ReadonlyMap<string, string>
  readonly #pattern: RegExp | undefined

  /** `volumes`: folder of each volume. `variables`: of the container, for its `subPathExpr`. */
  constructor(
    container: Container,
    volumes: ReadonlyMap<string, string>,
    variables: Readonly<Record<string, string>> = {},
  ) {
    const pairs = (container.volumeMounts ?? [])
      .map(({ name, mountPath, subPath = '', subPathExpr = '' }): [string, string] => [
        mountPath.replace(/\/+$/, ''),
        join(volumes.get(name) ?? '', subPath || expand(subPathExpr, (variable) => variables[variable])),
      ])
      .filter(([inside]) => inside !== '')
      .sort(([a], [b]) => b.length - a.length)
    this.#folders = new Map(pairs)
    const paths = pairs.map(([inside]) => inside.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    this.#pattern = paths.length === 0 ? undefined : new RegExp(`(?<![\\w./-])(?:${paths.join('|')})(?![\\w.-])`, 'g')
  }

  /** The folder mounted at exactly this path. */
  at(mountPath: string): string | undefined {
    return this.#folders.get(mountPath)
  }

  /** [mounted path, folder], longest path first. */
  pairs(): [string, string][] {
    return [...this.#folders]
  }

  /** Every mounted path in a command, argument or variable, replaced by where it lies. */
  rewrite(text: string): string {
    return this.#pattern ? text.replaceAll(this.#pattern, (path) => this.#folders.get(path) ?? path) : text
  }
}
