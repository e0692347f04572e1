import type { HostsEntry } from './hosts-plan.ts'

/** Ends each line of ours; the preload passes such lines over. */
export const hostsMark = '# intercept'

/** What a person types to have the lines in the system's hosts file, and to be rid of them. Both may be repeated. */
export interface HostsCommands {
  readonly add: string
  readonly remove: string
}

export const hostsLines = (entries: readonly HostsEntry[]): string[] =>
  entries.map(({ address, names }) => `${address} ${names.join(' ')} ${hostsMark}`)

/** Whether a hosts file has these lines, and no others of ours. */
export function hasLines(text: string, lines: readonly string[]): boolean {
  const ours = text.split(/\r?\n/).filter((line) => line.endsWith(hostsMark))
  return ours.length === lines.length && lines.every((line) => ours.includes(line))
}

/**
 * One line each. The file is written over, not replaced: it may be a mount. Names of Services and addresses need no
 * quoting. @param file by default the system's
 */
export function hostsCommands(lines: readonly string[], platform: NodeJS.Platform, file?: string): HostsCommands {
  if (platform === 'win32') return windowsCommands(lines)
  const path = file ?? '/etc/hosts'
  // 1: no line is left over.
  const others = `grep -v "${hostsMark}$" "$f" || [ $? = 1 ]`
  const write = (what: string): string =>
    `sudo sh -c 'f="${path}"; { ${what}; } > "$f.intercept" && cat "$f.intercept" > "$f"; rm -f "$f.intercept"'`
  const quoted = lines.map((line) => `"${line}"`).join(' ')
  return { add: write(`{ ${others}; } && printf "%s\\n" ${quoted}`), remove: write(others) }
}

/** For a PowerShell of an administrator. */
function windowsCommands(lines: readonly string[]): HostsCommands {
  const file = '"$env:SystemRoot\\System32\\drivers\\etc\\hosts"'
  const others = `@(Get-Content ${file} | Where-Object { $_ -notlike '*${hostsMark}' })`
  const write = (value: string): string => `Set-Content -Path ${file} -Encoding ascii -Value (${value})`
  return { add: write(`${others} + @(${lines.map((line) => `'${line}'`).join(', ')})`), remove: write(others) }
}
