/** How an environment can be written down. */
export const formats = ['dotenv', 'json', 'shell', 'docker'] as const

export type EnvironmentFormat = (typeof formats)[number]

export interface WrittenEnvironment {
  readonly text: string
  /** Variables that the format has no way to write; they are left out. */
  readonly left: readonly { readonly name: string; readonly why: string }[]
}

/** Of a `docker run --env-file`, bytes. */
const dockerLineBytes = 64 * 1024 - 1

/** Writes variables so that who reads the format gets exactly these values. */
export function writeEnvironment(
  variables: ReadonlyMap<string, string>,
  format: EnvironmentFormat,
): WrittenEnvironment {
  if (format === 'json') return { text: `${JSON.stringify(Object.fromEntries(variables), null, 2)}\n`, left: [] }
  const lines: string[] = []
  const left: { name: string; why: string }[] = []
  for (const [name, value] of variables) {
    const written = writers[format](name, value)
    if ('line' in written) lines.push(`${written.line}\n`)
    else left.push({ name, why: written.why })
  }
  return { text: lines.join(''), left }
}

type Written = { readonly line: string } | { readonly why: string }

const writers: Readonly<Record<Exclude<EnvironmentFormat, 'json'>, (name: string, value: string) => Written>> = {
  dotenv: dotenvLine,
  shell: shellLine,
  docker: dockerLine,
}

/**
 * As `node --env-file` and the dotenv package of npm both read it: nothing is escaped within quotes, so the quotes are
 * those that the value does not have; `\n` within double quotes would be a newline, `\` before the last quote none.
 */
function dotenvLine(name: string, value: string): Written {
  if (!/^[A-Za-z_][\w.-]*$/.test(name)) return { why: 'it is no name for a dotenv file' }
  if (value.includes('\r')) return { why: 'a dotenv file has no carriage returns' }
  if (value !== '' && /^[\w./:@%+,=\\-]*$/.test(value)) return { line: `${name}=${value}` }
  if (!value.endsWith('\\')) {
    if (!value.includes("'")) return { line: `${name}='${value}'` }
    if (!/["\\$]/.test(value)) return { line: `${name}="${value}"` }
    if (!value.includes('`')) return { line: `${name}=\`${value}\`` }
    if (!/["\\]/.test(value)) return { line: `${name}="${value}"` }
  }
  return { why: 'a dotenv file has no quotes that its value leaves free' }
}

/** POSIX: nothing is special between single quotes. */
function shellLine(name: string, value: string): Written {
  if (!/^[A-Za-z_]\w*$/.test(name)) return { why: 'it is no name for a shell' }
  return { line: `export ${name}='${value.replaceAll("'", "'\\''")}'` }
}

/** `docker run --env-file`: the rest of the line is the value, whatever it is. */
function dockerLine(name: string, value: string): Written {
  if (/[\s=]|^#/.test(name)) return { why: 'it is no name for an env-file of Docker' }
  if (/\n|\r$/.test(value)) return { why: 'an env-file of Docker has no newlines within a value' }
  const line = `${name}=${value}`
  if (Buffer.byteLength(line) > dockerLineBytes) return { why: 'its line is too long for an env-file of Docker' }
  return { line }
}
