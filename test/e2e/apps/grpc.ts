import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  status,
} from '@grpc/grpc-js'

const text = {
  requestSerialize: (value: string): Buffer => Buffer.from(value),
  requestDeserialize: (bytes: Buffer): string => bytes.toString(),
  responseSerialize: (value: string): Buffer => Buffer.from(value),
  responseDeserialize: (bytes: Buffer): string => bytes.toString(),
}

/** A gRPC service of plain strings, so that no .proto has to be loaded. */
export const echoService = {
  unary: { path: '/test.Echo/Unary', requestStream: false, responseStream: false, ...text },
  fail: { path: '/test.Echo/Fail', requestStream: false, responseStream: false, ...text },
  hang: { path: '/test.Echo/Hang', requestStream: false, responseStream: false, ...text },
  list: { path: '/test.Echo/List', requestStream: false, responseStream: true, ...text },
  chat: { path: '/test.Echo/Chat', requestStream: true, responseStream: true, ...text },
} as const

export async function startGrpc(who: string, host: string, port: number): Promise<void> {
  const server = new Server()
  const unary: handleUnaryCall<string, string> = (call, done) => {
    const trailers = new Metadata()
    trailers.set('x-who', who)
    done(null, `${who}: ${call.request}`, trailers)
  }
  const fail: handleUnaryCall<string, string> = (call, done) =>
    done({ code: status.FAILED_PRECONDITION, details: `${who} will not ${call.request}` })
  let cancelled = 0
  const hang: handleUnaryCall<string, string> = (call, done) => {
    if (call.request === 'cancelled?') return done(null, String(cancelled))
    call.on('cancelled', () => {
      cancelled += 1
    })
  }
  const list: handleServerStreamingCall<string, string> = (call) => {
    for (let item = 0; item < Number(call.request); item++) call.write(`${who} ${item}`)
    call.end()
  }
  const chat: handleBidiStreamingCall<string, string> = (call) => {
    call.on('data', (line: string) => call.write(`${who}: ${line}`))
    call.on('end', () => call.end())
  }
  server.addService(echoService, { unary, fail, hang, list, chat })
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  )
}
