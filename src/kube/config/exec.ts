import { spawn } from 'node:child_process'
import { codeOf, messageOf } from '../../errors.ts'
import { KubeError } from '../error.ts'
import type { Credentials } from './access.ts'
import { fileOrData } from './file-or-data.ts'
import type { ExecEntry, FromFile, UserEntry } from './kubeconfig.ts'
import { pathIn } from './kubeconfig.ts'
import type { UserSurroundings } from './user-credentials.ts'

interface ExecCredential {
  status?: {
    token?: string
    clientCertificateData?: string
    clientKeyData?: string
    expirationTimestamp?: string
  }
}

/** Renewed this long before it expires. */
const leewayMs = 10_000

/** Runs a credential plugin (client.authentication.k8s.io) and keeps its answer until it expires. */
export function execCredentials(
  user: FromFile<UserEntry>,
  exec: ExecEntry,
  around: UserSurroundings,
): (renew: boolean) => Promise<Credentials> {
  let current: { credentials: Credentials; expires: number } | undefined
  let running: Promise<Credentials> | undefined
  const refresh = async () => {
    const { status } = await runPlugin(user, exec, around)
    const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status ?? {}
    const credentials: Credentials = {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      ...(clientCertificateData && clientKeyData ? { cert: clientCertificateData, key: clientKeyData } : {}),
    }
    current = { credentials, expires: expirationTimestamp ? Date.parse(expirationTimestamp) : Number.POSITIVE_INFINITY }
    return credentials
  }
  return async (renew) => {
    if (!renew && current !== undefined && Date.now() < current.expires - leewayMs) return current.credentials
    running ??= refresh().finally(() => {
      running = undefined
    })
    return running
  }
}

async function runPlugin(
  user: FromFile<UserEntry>,
  exec: ExecEntry,
  around: UserSurroundings,
): Promise<ExecCredential> {
  const interactive = exec.interactiveMode !== 'Never' && process.stdin.isTTY === true
  if (exec.interactiveMode === 'Always' && !interactive) {
    throw expired(exec, 'it must ask something, and this is not a terminal', undefined)
  }
  const env = { ...process.env }
  for (const { name, value } of exec.env ?? []) env[name] = value
  env.KUBERNETES_EXEC_INFO = JSON.stringify(execInfo(exec, around, interactive))
  // A path with a slash is relative to the kubeconfig; a bare name is looked up in PATH.
  const command = /[/\\]/.test(exec.command) ? pathIn(user, exec.command) : exec.command
  const output = await new Promise<string>((resolve, reject) => {
    // What a plugin says ("open this page to log in") is for the person: standard error is shared.
    const child = spawn(command, exec.args ?? [], {
      env,
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', (error) => reject(expired(exec, notStarted(exec, error), error)))
    child.once('close', (status, signal) => {
      if (status === 0) resolve(Buffer.concat(chunks).toString('utf8'))
      else reject(expired(exec, `it ended with ${signal ?? `status ${status}`}`, undefined))
    })
  })
  try {
    return JSON.parse(output) as ExecCredential
  } catch (error) {
    throw expired(exec, 'its output is not an ExecCredential', error)
  }
}

function execInfo(exec: ExecEntry, { cluster }: UserSurroundings, interactive: boolean): object {
  const { value } = cluster
  const ca = fileOrData(cluster, value['certificate-authority'], value['certificate-authority-data'])
  const info = {
    server: value.server,
    'tls-server-name': value['tls-server-name'],
    'insecure-skip-tls-verify': value['insecure-skip-tls-verify'],
    'certificate-authority-data': ca?.toString('base64'),
    'proxy-url': value['proxy-url'],
  }
  return {
    kind: 'ExecCredential',
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    spec: { interactive, ...(exec.provideClusterInfo === true ? { cluster: info } : {}) },
  }
}

function notStarted(exec: ExecEntry, error: unknown): string {
  if (codeOf(error) !== 'ENOENT') return messageOf(error)
  return `it is not installed${exec.installHint ? `. ${exec.installHint.trim()}` : ''}`
}

function expired(exec: ExecEntry, reason: string, cause: unknown): KubeError {
  return new KubeError(
    'credentials-expired',
    `The kubeconfig's credential plugin '${exec.command}' failed: ${reason}`,
    {
      cause,
      fix: 'Log in again; kubectl auth whoami should work first.',
    },
  )
}
