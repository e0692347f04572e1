import { connect } from 'node:http2'
import { type RequestOptions, request } from 'node:https'
import { buffer } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import type { At } from './caller-http.ts'

export interface SecureAnswer {
  who: string
  /** Common name of the certificate that was shown. */
  certificate: string
}

export type SecureInput = At & { servername: string; headers?: Record<string, string>; http2?: boolean }

const nameOf = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject?.CN)

/** One request over TLS, on a connection of its own. */
export function getSecure(input: SecureInput): Promise<SecureAnswer> {
  return input.http2 ? http2Get(input) : http1Get(input)
}

function http1Get({ host, port, servername, headers = {} }: SecureInput): Promise<SecureAnswer> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = { host, port, servername, headers, agent: false, timeout: 10_000 }
    const call = request({ ...options, rejectUnauthorized: false }, (response) => {
      const certificate = nameOf(response.socket as TLSSocket)
      response.resume().on('error', reject)
      response.on('end', () => resolve({ who: String(response.headers['x-who']), certificate }))
    })
    call.on('timeout', () => call.destroy(new Error('timed out')))
    call.on('error', reject).end()
  })
}

async function http2Get({ host, port, servername, headers = {} }: SecureInput): Promise<SecureAnswer> {
  const session = connect(`https://${host}:${port}`, { servername, rejectUnauthorized: false })
  try {
    const stream = session.request({ ':path': '/', ...headers })
    const failed = new Promise<never>((_resolve, reject) => session.once('error', reject))
    const answered = new Promise<string>((resolve) => {
      stream.once('response', (head) => resolve(String(head['x-who'])))
    })
    const [who] = await Promise.race([Promise.all([answered, buffer(stream)]), failed])
    return { who, certificate: nameOf(session.socket as TLSSocket) }
  } finally {
    session.close()
  }
}
