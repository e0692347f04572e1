import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'

const here = import.meta.dirname

/** Patterns of what a language's own library says. */
export interface Words {
  /** No such name. */
  readonly none: RegExp
  /** A name with addresses, but none of IPv6. */
  readonly six: RegExp
  readonly refused: RegExp
  /** An address that nobody has: a cluster's network says so at once, or never. */
  readonly unreachable: RegExp
}

export interface Language {
  readonly name: string
  /** Programs that it needs. */
  readonly needs: readonly string[]
  /** Builds the probe in a folder. @returns the command that runs it */
  build(folder: string): string[]
  readonly words: Words
}

export const languages: readonly Language[] = [
  {
    name: 'Node',
    needs: ['node'],
    build: () => [process.execPath, join(here, 'probe.mjs')],
    words: {
      none: /^ENOTFOUND$/,
      six: /^ENODATA$/,
      refused: /^ECONNREFUSED$/,
      unreachable: /^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/,
    },
  },
  {
    name: 'Python',
    needs: ['python3'],
    build: () => ['python3', join(here, 'probe.py')],
    words: {
      none: /^EAI_NONAME$/,
      six: /^EAI_(NODATA|ADDRFAMILY|NONAME)$/,
      refused: /^ECONNREFUSED$/,
      unreachable: /^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|timed out)$/,
    },
  },
  {
    name: 'Go, static',
    needs: ['go'],
    build: (folder) => {
      const file = join(folder, 'probe')
      execFileSync('go', ['build', '-o', file, join(here, 'probe.go')], { env: { ...process.env, CGO_ENABLED: '0' } })
      return [file]
    },
    words: {
      none: /^no such host$/,
      six: /^no such host$/,
      refused: /^connection refused$/,
      unreachable: /^(no route to host|network is unreachable|connection timed out|.*i\/o timeout)$/,
    },
  },
  {
    name: 'Java',
    needs: ['java', 'javac'],
    build: (folder) => {
      execFileSync('javac', ['-d', folder, join(here, 'Probe.java')])
      return ['java', '-cp', folder, 'Probe']
    },
    words: {
      none: /^UnknownHostException: no-such-name/,
      six: /^none of this family$/,
      refused: /^ConnectException: Connection refused/,
      unreachable: /^[A-Za-z]+Exception: (No route to host|Network is unreachable|Conn.* timed out)/,
    },
  },
  {
    name: 'curl, psql, dig and bash',
    needs: ['curl', 'psql', 'dig', 'bash', 'getent'],
    build: () => [join(here, 'probe.sh')],
    words: {
      none: /^getent 2$/,
      // With addresses of the other kind only, newer ones could not connect.
      six: /^curl [67]$/,
      refused: /^curl 7, Connection refused$/,
      unreachable: /^curl (7|28), (No route to host|Network is unreachable|Connection timed out|)$/,
    },
  },
]

/** Which of the programs are not in PATH. */
export const missing = (needs: readonly string[]): string[] =>
  needs.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0)
