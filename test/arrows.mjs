// Keeps the arrows between rooms (ARCHITECTURE.md): who may import whom, and the one file that may import a library.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'

const rules = [
  { in: 'cli/', never: ['proxy-pod/'] },
  { in: 'proxy-pod/', never: ['cli/'] },
  { in: 'src/', never: ['cli/', 'proxy-pod/'] },
  { in: 'src/tunnel/', only: ['src/tunnel/', 'src/errors.ts', 'src/read-into.ts', 'src/reset-socket.ts'] },
]
/** Library -> the only folder (or file) that may import it. */
const owners = {
  '@kubernetes/client-node': 'src/kube/',
  'node-forge': 'src/pki/',
  ws: ['src/tunnel/', 'src/kube/', 'cli/demo/cluster/'],
  'dns-packet': 'src/dns/message.ts',
  koffi: 'cli/outbound/twin/keeper/libc.ts',
  undici: ['src/kube/', 'src/http/'],
  yargs: 'cli/yargs.ts',
  pino: 'src/log.ts',
  'prom-client': 'proxy-pod/metrics.ts',
  picocolors: 'cli/ui/',
  zod: 'src/resource/',
  re2js: 'src/match/regex.ts',
  '@marcbachmann/cel-js': 'cli/demo/cluster/admission/',
}

const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[mc]?tsx?$/.test(entry.name))
    .map((entry) =>
      normalize(join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )

const wrong = []
for (const file of ['cli', 'proxy-pod', 'src'].flatMap(files)) {
  const text = readFileSync(file, 'utf8')
  for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    if (specifier.startsWith('.')) {
      const target = normalize(join(dirname(file), specifier))
        .split(sep)
        .join('/')
      for (const rule of rules) {
        if (!file.startsWith(rule.in)) continue
        const broken =
          rule.never?.some((place) => target.startsWith(place)) ||
          (rule.only && !rule.only.some((place) => target.startsWith(place)))
        if (broken) wrong.push(`${file} imports ${target}: not from ${rule.in}`)
      }
      continue
    }
    const owner = Object.entries(owners).find(([name]) => specifier === name || specifier.startsWith(`${name}/`))
    if (owner && ![owner[1]].flat().some((place) => file.startsWith(place))) {
      wrong.push(`${file} imports ${specifier}: only ${[owner[1]].flat().join(', ')} may`)
    }
  }
}
for (const line of wrong) console.error(line)
if (wrong.length > 0) process.exit(1)
console.log('arrows: as drawn')
