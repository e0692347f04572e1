import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../../cli/commands/index.ts'
import { intercept } from '../../cli/commands/intercept.ts'
import { ExitCode } from '../../cli/exit-codes.ts'

const text = readFileSync('docs/cli.md', 'utf8')

/** What stands under a heading that begins like this. */
function section(heading: string): string {
  const [, found = ''] = text.split(new RegExp(`^## ${heading}\\b.*$`, 'm'))
  return found.split(/^## /m)[0] ?? ''
}

describe('docs/cli.md', () => {
  test.each(commands.map(({ usage }) => usage.split(' ')[0] ?? ''))('has %s with its options', async (name) => {
    const command = await commands.find(({ usage }) => usage.split(' ')[0] === name)?.load()
    for (const option of Object.keys(command?.options ?? {})) expect(section(name)).toContain(`\`--${option}\``)
    expect(section(name)).not.toBe('')
  })

  test('has the options of the intercept itself, with their defaults', () => {
    for (const [option, spec] of Object.entries(intercept.options ?? {})) {
      const row = section('intercept TARGET').match(new RegExp(`^\\|.*\`--${option}[ \`].*$`, 'm'))?.[0]
      expect(row, option).toBeDefined()
      if (spec.default !== undefined) expect(row).toContain(`\`${spec.default}\``)
    }
  })

  test('names no option that there is not', async () => {
    const loaded = await Promise.all(commands.map((command) => command.load()))
    const known = new Set([...loaded, intercept].flatMap((command) => Object.keys(command.options ?? {})))
    for (const name of ['namespace', 'context', 'kubeconfig', 'system-namespace', 'output', 'help']) known.add(name)
    const named = [...text.matchAll(/`--([a-z][a-z-]*)/g)].map(([, name]) => name ?? '')
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })

  test('has every exit code', () => {
    const rows = [...section('Exit codes').matchAll(/^\| (\d) \| (\w+) \|/gm)].map(([, code, name]) => [
      name,
      Number(code),
    ])
    expect(Object.fromEntries(rows)).toEqual(ExitCode)
  })

  test('has every event that the code tells', () => {
    const sources = ['intercept', 'intercept-report', 'give-back', 'leave', 'restore', 'install', 'uninstall']
      .map((name) => readFileSync(`cli/commands/${name}.ts`, 'utf8'))
      .concat(readFileSync('cli/install/progress.ts', 'utf8'))
      .join('\n')
    const events = new Set([...sources.matchAll(/event: '([a-z-]+)'/g)].map(([, event]) => event ?? ''))
    expect(events.size).toBeGreaterThan(10)
    for (const event of events) expect(section('JSON')).toContain(`\`${event}\``)
  })
})

test.each([
  'README.md',
  'docs/cli.md',
  'docs/debugging.md',
  'docs/how-it-works.md',
  'docs/installing.md',
  'docs/preview.md',
  'CONTRIBUTING.md',
])('every link of %s leads somewhere', (file) => {
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
    const [path = '', anchor] = target.split('#')
    const found = path === '' ? file : join(dirname(file), path)
    expect(existsSync(found), `${file}: ${target}`).toBe(true)
    if (anchor === undefined) continue
    const headings = [...readFileSync(found, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    )
    expect(headings, `${file}: ${target}`).toContain(anchor)
  }
})

test('what docs/debugging.md has to paste is JSON', () => {
  const blocks = [...readFileSync('docs/debugging.md', 'utf8').matchAll(/```json\n(.*?)```/gs)].map(([, json]) => json)
  expect(blocks.length).toBe(2)
  for (const json of blocks) expect(() => JSON.parse(json ?? '')).not.toThrow()
})

test('the chart has every value that docs/installing.md names, and the other way round', () => {
  const values = [...readFileSync('charts/intercept/values.yaml', 'utf8').matchAll(/^([a-zA-Z]+):/gm)].map(
    ([, name]) => name,
  )
  const docs = readFileSync('docs/installing.md', 'utf8').split('## With Helm')[1]?.split('\n## ')[0] ?? ''
  const cells = [...docs.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm)].map(([, cell]) => cell ?? '')
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([a-zA-Z]+)(?:\.[a-zA-Z]+)?`/g)].map(([, name]) => name))
  expect([...new Set(named)].sort()).toEqual(values.sort())
})
