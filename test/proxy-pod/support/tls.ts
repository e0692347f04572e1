import { once } from 'node:events'
import { createServer as createHttp1 } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import { createCa, issueServingCertificate, type ServingCertificate } from '../../../src/pki/index.ts'

const ca = createCa('test authority')

/** A certificate for that name. */
export async function certificateFor(name: string): Promise<ServingCertificate> {
  return issueServingCertificate(await ca, { dnsNames: [name], ips: [] })
}

export interface HttpsServer {
  readonly server: Server
  readonly port: number
  /** Names that clients asked for. */
  readonly names: (string | false | undefined)[]
}

interface Asked {
  readonly url?: string | undefined
  readonly httpVersion: string
  readonly socket: object
}

interface Answer {
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body: string): unknown
}

/** Says who it is and what it was asked, over HTTP/1.1 or, where `http2`, over both. */
export async function httpsServer(
  who: string,
  options: { http2?: boolean; requestCert?: boolean; certificate?: ServingCertificate } = {},
): Promise<HttpsServer> {
  const certificate = options.certificate ?? (await certificateFor(who))
  const answer = (request: Asked, response: Answer): void => {
    response.writeHead(200, { 'x-who': who, 'x-version': request.httpVersion })
    response.end(`${who} ${request.url}`)
  }
  const more = { requestCert: options.requestCert ?? false, rejectUnauthorized: false }
  const server = options.http2
    ? createSecureServer({ ...certificate, ...more, allowHTTP1: true }, answer)
    : createHttps({ ...certificate, ...more }, answer)
  const names: HttpsServer['names'] = []
  server.on('secureConnection', (socket: TLSSocket & { servername?: string | false }) => names.push(socket.servername))
  return { server, port: await listening(server), names }
}

/** The same in the open. */
export async function httpServer(who: string): Promise<number> {
  return listening(
    createHttp1((request, response) => {
      response.writeHead(200, { 'x-who': who, 'x-version': request.httpVersion })
      response.end(`${who} ${request.url}`)
    }),
  )
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A client's TLS connection; its server's certificate is not verified. */
export async function secureDial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const more = { allowHalfOpen: true, ...options }
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...more })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

export const nameOf = (socket: TLSSocket): string | undefined => socket.getPeerCertificate().subject?.CN?.toString()
