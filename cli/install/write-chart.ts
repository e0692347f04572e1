import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chartFiles } from './chart-files.ts'

// `npm run chart`
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
for (const [path, content] of Object.entries(chartFiles(version))) {
  const file = join('charts/intercept', path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  console.log(file)
}
