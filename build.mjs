// Builds dist/: one bundle for the laptop, one for the proxy pod, one for Node programs of the laptop. Runs on `npm ci` (script `prepare`).
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const banner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: { 'process.env.INTERCEPT_VERSION': JSON.stringify(version) },
}
await build({
  ...common,
  entryPoints: ['cli/main.ts'],
  outfile: 'dist/cli.js',
  banner: { js: `#!/usr/bin/env node\n${banner}` },
})
chmodSync('dist/cli.js', 0o755)
// Lives in the namespaces of a twin; koffi has a binary for each kind of machine, and stays a package.
await build({
  ...common,
  entryPoints: ['cli/outbound/twin/keeper/main.ts'],
  outfile: 'dist/keeper.js',
  external: ['koffi'],
  banner: { js: banner },
})
await build({ ...common, entryPoints: ['proxy-pod/main.ts'], outfile: 'dist/proxy-pod.js', banner: { js: banner } })
// What runs first in the Node programs of `intercept run`, of whatever version.
await build({
  ...common,
  entryPoints: ['cli/outbound/portable/preload/main.ts'],
  outfile: 'dist/preload.cjs',
  format: 'cjs',
  target: 'node18',
})
// What the chart puts into the ConfigMap; Helm cannot compress.
mkdirSync('charts/intercept/files', { recursive: true })
writeFileSync('charts/intercept/files/proxy-pod.js.gz', gzipSync(readFileSync('dist/proxy-pod.js'), { level: 9 }))
