import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { codeOf, messageOf } from '../../errors.ts'
import { KubeError } from '../error.ts'

/** The part of a kubeconfig (client.config.k8s.io/v1) that we use. */
export interface ClusterEntry {
  server: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
  'tls-server-name'?: string
  'proxy-url'?: string
}

export interface ExecEntry {
  apiVersion?: string
  command: string
  args?: string[] | null
  env?: { name: string; value: string }[] | null
  installHint?: string
  provideClusterInfo?: boolean
  interactiveMode?: 'Never' | 'IfAvailable' | 'Always'
}

export interface UserEntry {
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  token?: string
  tokenFile?: string
  username?: string
  password?: string
  as?: string
  'as-uid'?: string
  'as-groups'?: string[]
  'as-user-extra'?: Record<string, string[]>
  exec?: ExecEntry
  'auth-provider'?: { name: string; config?: Record<string, string> }
}

interface ContextEntry {
  cluster: string
  user?: string
  namespace?: string
}

/** An entry together with the file that it comes from: paths in it are relative to that file's folder. */
export interface FromFile<T> {
  readonly file: string
  readonly value: T
}

export interface Kubeconfig {
  readonly currentContext: string | undefined
  readonly contexts: ReadonlyMap<string, FromFile<ContextEntry>>
  readonly clusters: ReadonlyMap<string, FromFile<ClusterEntry>>
  readonly users: ReadonlyMap<string, FromFile<UserEntry>>
}

/** The files to read: the option; else KUBECONFIG's; else ~/.kube/config. */
export function kubeconfigFiles(option: string | undefined, env: NodeJS.ProcessEnv = process.env): string[] {
  if (option !== undefined) return [resolve(option)]
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '')
  return listed.length > 0 ? listed.map((path) => resolve(path)) : [join(homedir(), '.kube', 'config')]
}

/**
 * Merged as kubectl does: of two entries with one name the first wins, files that do not exist are passed over.
 * @throws KubeError 'kubeconfig-missing', 'kubeconfig-invalid'
 */
export function loadKubeconfig(files: readonly string[]): Kubeconfig {
  let currentContext: string | undefined
  const contexts = new Map<string, FromFile<ContextEntry>>()
  const clusters = new Map<string, FromFile<ClusterEntry>>()
  const users = new Map<string, FromFile<UserEntry>>()
  let found = false
  for (const file of files) {
    const text = readIfThere(file)
    if (text === undefined) continue
    found = true
    const content = parseFile(file, text)
    const current = content['current-context']
    if (currentContext === undefined && typeof current === 'string' && current !== '') currentContext = current
    collect(contexts, file, content.contexts, 'context')
    collect(clusters, file, content.clusters, 'cluster')
    collect(users, file, content.users, 'user')
  }
  if (!found) {
    throw new KubeError('kubeconfig-missing', `There is no kubeconfig: ${files.join(', ')} does not exist`, {
      fix: 'export KUBECONFIG=FILE, or try it without a cluster: npx intercept demo',
    })
  }
  return { currentContext, contexts, clusters, users }
}

/** Resolves a path in an entry against the folder of the entry's file. */
export function pathIn(entry: FromFile<unknown>, path: string): string {
  return resolve(dirname(entry.file), path)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new KubeError('kubeconfig-missing', `The kubeconfig ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function parseFile(file: string, text: string): Record<string, unknown> {
  let content: unknown
  try {
    content = parse(text)
  } catch (error) {
    throw new KubeError('kubeconfig-invalid', `The kubeconfig ${file} is not YAML: ${messageOf(error)}`, {
      cause: error,
    })
  }
  if (content === null || content === undefined) return {}
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new KubeError('kubeconfig-invalid', `The kubeconfig ${file} is not a mapping`)
  }
  return content as Record<string, unknown>
}

function collect<T>(into: Map<string, FromFile<T>>, file: string, list: unknown, field: string): void {
  if (!Array.isArray(list)) return
  for (const entry of list as ({ name?: unknown } & Record<string, unknown>)[]) {
    if (typeof entry?.name !== 'string' || into.has(entry.name)) continue
    into.set(entry.name, { file, value: (entry[field] ?? {}) as T })
  }
}
