/**
 * What is seen of a volume at its top, as symbolic links to `..data/NAME`: each name once, a folder as a whole. A name in
 * or at which another mount lies is the mount's alone: the kubelet makes a folder there first, and what the volume has of
 * that name is not seen (pkg/volume/util, MakeNestedMountpoints). All paths are clean and relative to the volume.
 * @returns targets by name
 */
export function visibleLinks(files: Iterable<string>, covered: readonly string[]): Map<string, string> {
  const taken = new Set(covered.map(topOf))
  const names = [...new Set([...files].map(topOf))].filter((name) => !taken.has(name))
  return new Map(names.map((name) => [name, `..data/${name}`]))
}

/** The first name of a path. */
export const topOf = (path: string): string => path.split('/', 1)[0] ?? ''
