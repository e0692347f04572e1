import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import type { Dict } from '../../../cli/demo/cluster/json.ts'

export interface RawAnswer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
  readonly body: Dict
}

export interface RawOptions {
  readonly body?: unknown
  readonly type?: string
  readonly headers?: Record<string, string>
}

/** What a kubeconfig of the embedded cluster says. */
export function accessOf(kubeconfigPath: string): { server: URL; token: string; ca: Buffer } {
  const config = JSON.parse(readFileSync(kubeconfigPath, 'utf8'))
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster
  return { server: new URL(server), token: config.users[0].user.token, ca: Buffer.from(ca, 'base64') }
}

/** One request as curl would make it: nothing but HTTP between the test and the API server. */
export function raw(
  kubeconfigPath: string,
  method: string,
  path: string,
  options: RawOptions = {},
): Promise<RawAnswer> {
  const { server, token, ca } = accessOf(kubeconfigPath)
  const sent = typeof options.body === 'string' ? options.body : JSON.stringify(options.body)
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: server.hostname,
        port: server.port,
        ca,
        method,
        path,
        agent: false,
        headers: {
          authorization: `Bearer ${token}`,
          ...(sent === undefined
            ? {}
            : { 'content-type': options.type ?? 'application/json', 'content-length': Buffer.byteLength(sent) }),
          ...options.headers,
        },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () => {
          const body = /^\s*\{/.test(text) && !text.trim().includes('\n') ? JSON.parse(text) : {}
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body })
        })
      },
    )
    call.on('error', reject)
    if (sent !== undefined) call.write(sent)
    call.end()
  })
}
