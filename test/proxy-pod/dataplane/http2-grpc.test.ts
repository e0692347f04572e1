import {
  Client,
  credentials,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { claim, Routed } from '../support/http2-port.ts'
import { laptop } from '../support/laptop.ts'

const same = (bytes: Buffer): Buffer => bytes
const method = (path: string, requestStream: boolean, responseStream = requestStream) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
})

/** Echoes; 'fail' fails, 'wait' is never answered. */
async function echo(): Promise<{ port: number; cancelled: string[] }> {
  const cancelled: string[] = []
  const server = new Server()
  server.addService(
    {
      unary: method('/echo.Echo/Unary', false),
      bidi: method('/echo.Echo/Bidi', true),
      count: method('/echo.Echo/Count', false, true),
    },
    {
      count: (call: ServerWritableStream<Buffer, Buffer>) => {
        const last = Number(call.request)
        call.on('cancelled', () => cancelled.push(`count ${last}`))
        for (let number = 1; number <= last; number += 1) call.write(Buffer.from(`${number}`))
        // Without an end where the last is odd.
        if (last % 2 === 0) call.end()
      },
      unary: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        call.on('cancelled', () => cancelled.push(call.request.toString()))
        if (call.request.toString() === 'fail') answer({ code: status.ALREADY_EXISTS, details: 'there is one' })
        else if (call.request.toString() !== 'wait') answer(null, call.request)
      },
      bidi: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (chunk) => call.write(chunk))
        call.on('end', () => call.end())
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  onTestFinished(() => server.forceShutdown())
  return { port, cancelled }
}

test.each(['origin', 'laptop'])(
  'gRPC to the %s: unary, status, deadline, bidi, server streaming, cancel',
  async (where) => {
    const { port, cancelled } = await echo()
    const routed = await new Routed(port).listen()
    if (where === 'laptop') routed.claims(claim(await laptop(port), { matches: () => true }))
    const client = new Client(`127.0.0.1:${routed.port}`, credentials.createInsecure())
    onTestFinished(() => client.close())
    const unary = (text: string, deadline?: number) =>
      new Promise<string>((resolve) => {
        const options = deadline === undefined ? {} : { deadline: Date.now() + deadline }
        client.makeUnaryRequest('/echo.Echo/Unary', same, same, Buffer.from(text), options, (error, value) =>
          resolve(error ? `${error.code} ${error.details}` : String(value)),
        )
      })
    expect(await unary('hello')).toBe('hello')
    expect(await unary('fail')).toBe('6 there is one')
    expect(await unary('wait', 200)).toMatch(/^4 /)
    await expect.poll(() => cancelled).toContain('wait')
    const bidi = client.makeBidiStreamRequest('/echo.Echo/Bidi', same, same)
    const got: string[] = []
    const ended = new Promise<number>((resolve) => {
      bidi.on('status', ({ code }: { code: number; metadata: Metadata }) => resolve(code))
    })
    bidi.on('data', (chunk: Buffer) => {
      got.push(String(chunk))
      if (got.length < 3) bidi.write(Buffer.from(String(got.length)))
      else bidi.end()
    })
    bidi.write(Buffer.from('0'))
    expect(await ended).toBe(0)
    expect(got).toEqual(['0', '1', '2'])
    const count = (last: number) =>
      client
        .makeServerStreamRequest('/echo.Echo/Count', same, same, Buffer.from(`${last}`))
        .on('error', () => undefined)
    const numbers: number[] = []
    for await (const number of count(100)) numbers.push(Number(number))
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, at) => at + 1))
    const endless = count(3)
    const seen: string[] = []
    endless.on('data', (chunk: Buffer) => {
      seen.push(String(chunk))
      if (seen.length === 3) endless.cancel()
    })
    await expect.poll(() => cancelled).toContain('count 3')
  },
)
