import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { VolumeFile, VolumeFiles } from './volume-files.ts'

/** A folder that shows the files of a volume. */
export interface VolumeDirectory {
  /** Makes it show exactly these files. @returns false where it does already. @throws system errors */
  write(files: VolumeFiles): Promise<boolean>
}

/** Makes a file that is not there yet, whatever the umask. */
export async function writeVolumeFile(path: string, { data, mode }: VolumeFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  await writeFile(path, data, { flag: 'wx', mode: 0o600 })
  await chmod(path, mode)
}

export function sameFiles(a: VolumeFiles | undefined, b: VolumeFiles): boolean {
  if (a?.size !== b.size) return false
  return [...b].every(([path, { data, mode }]) => {
    const other = a.get(path)
    return other?.mode === mode && other.data.equals(data)
  })
}

/** Where a file of a volume lies; the path is clean, so that it stays within. */
export const inside = (folder: string, path: string): string => join(folder, ...path.split('/'))
