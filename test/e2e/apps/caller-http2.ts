import { type ClientHttp2Session, connect } from 'node:http2'
import { type Asker, type LoadInput, requestsPerConnection } from './caller-http.ts'

/** Unary calls of the echo service on HTTP/2 connections, each for as many requests as an HTTP/1.1 connection has. */
export function http2Asker(input: LoadInput): Asker {
  const sessions = new Map<number, { session: ClientHttp2Session; asked: number }>()
  const sessionFor = (slot: number): ClientHttp2Session => {
    const found = sessions.get(slot)
    if (found && found.asked < requestsPerConnection && !found.session.closed && !found.session.destroyed) {
      found.asked += 1
      return found.session
    }
    found?.session.close()
    const session = connect(`http://${input.host}:${input.port}`)
    // Its streams tell.
    session.on('error', () => sessions.delete(slot))
    session.on('goaway', () => sessions.delete(slot))
    sessions.set(slot, { session, asked: 1 })
    return session
  }
  return {
    ask: (count) => call(sessionFor(count % (input.connections ?? 4)), input.headers ?? {}),
    close: () => {
      for (const { session } of sessions.values()) session.close()
    },
  }
}

function call(session: ClientHttp2Session, headers: Record<string, string>): Promise<{ status: number; who: string }> {
  return new Promise((resolve, reject) => {
    const message = Buffer.from('hello')
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(message.length, 1)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/test.Echo/Unary',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    const chunks: Buffer[] = []
    let grpcStatus: unknown
    stream.on('trailers', (trailers) => {
      grpcStatus = trailers['grpc-status']
    })
    stream.on('response', (head) => {
      grpcStatus ??= head['grpc-status']
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', reject)
    stream.on('close', () => {
      const [who = ''] = Buffer.concat(chunks).subarray(5).toString().split(':')
      resolve({ status: grpcStatus === '0' ? 200 : Number(grpcStatus ?? 0), who })
    })
    stream.end(Buffer.concat([prefix, message]))
  })
}
