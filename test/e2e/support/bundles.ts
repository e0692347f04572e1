import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { temporaryFolder } from './temporary-folder.ts'

let folder: string | undefined
const banner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"
const built = new Map<string, Promise<string>>()

/** Bundles `test/e2e/apps/NAME.ts` into one file. @returns its path */
export function bundle(name: 'app' | 'caller'): Promise<string> {
  const found = built.get(name)
  if (found) return found
  folder ??= temporaryFolder()
  const outfile = join(folder, `${name}.mjs`)
  const result = build({
    entryPoints: [join(import.meta.dirname, '..', 'apps', `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    banner: { js: banner },
    logLevel: 'warning',
  }).then(() => outfile)
  built.set(name, result)
  return result
}

/** The same, gzipped and in base64, as a ConfigMap's binaryData takes it. */
export async function bundleForConfigMap(name: 'app' | 'caller'): Promise<string> {
  return gzipSync(readFileSync(await bundle(name)), { level: 9 }).toString('base64')
}
