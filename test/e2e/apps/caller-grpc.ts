import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import type { At } from './caller-http.ts'
import { echoService } from './grpc.ts'

const serialize = (value: string): Buffer => Buffer.from(value)
const deserialize = (bytes: Buffer): string => bytes.toString()

/** One of each kind of call, on one connection. */
export async function grpcCalls({ host, port }: At): Promise<Record<string, unknown>> {
  const client = new Client(`${host}:${port}`, credentials.createInsecure())
  const call = (path: string, request: string, options: { deadline?: number } = {}) =>
    new Promise<{ answer?: string; code: number; details: string; trailer?: string | undefined }>((resolve) => {
      let trailers: Metadata | undefined
      let outcome: { error: ServiceError | null; answer?: string | undefined } | undefined
      const settle = (): void => {
        if (!outcome) return
        const { error, answer } = outcome
        const trailer = trailers?.get('x-who')[0]
        resolve({
          code: error?.code ?? status.OK,
          details: error?.details ?? '',
          ...(answer === undefined ? {} : { answer }),
          ...(trailer === undefined ? {} : { trailer: String(trailer) }),
        })
      }
      client
        .makeUnaryRequest(path, serialize, deserialize, request, options, (error, answer) => {
          outcome = { error, answer }
        })
        .on('status', ({ metadata }) => {
          trailers = metadata
          setImmediate(settle)
        })
    })
  const unary = await call(echoService.unary.path, 'hello')
  const failed = await call(echoService.fail.path, 'do it')
  const late = await call(echoService.hang.path, 'wait', { deadline: Date.now() + 300 })
  const cancelled = await new Promise<number>((resolve) => {
    const running = client.makeUnaryRequest(echoService.hang.path, serialize, deserialize, 'wait', {}, (error) =>
      resolve(error?.code ?? -1),
    )
    setTimeout(() => running.cancel(), 100)
  })
  const seenCancels = async (): Promise<number> => Number((await call(echoService.hang.path, 'cancelled?')).answer)
  let serverSawCancels = await seenCancels()
  for (let tries = 0; tries < 50 && serverSawCancels < 2; tries++) serverSawCancels = await seenCancels()
  const listed = await new Promise<string[]>((resolve, reject) => {
    const items: string[] = []
    client
      .makeServerStreamRequest(echoService.list.path, serialize, deserialize, '100')
      .on('data', (item: string) => items.push(item))
      .on('end', () => resolve(items))
      .on('error', reject)
  })
  const chatted = await new Promise<string[]>((resolve, reject) => {
    const lines: string[] = []
    const chat = client.makeBidiStreamRequest(echoService.chat.path, serialize, deserialize)
    chat.on('data', (line: string) => {
      lines.push(line)
      if (lines.length < 5) chat.write(`line ${lines.length}`)
      else chat.end()
    })
    chat.on('end', () => resolve(lines))
    chat.on('error', reject)
    chat.write('line 0')
  })
  client.close()
  return { unary, failed, late, cancelled, serverSawCancels, listed: listed.length, firstListed: listed[0], chatted }
}

/** One call without a deadline. @returns its answer */
export function grpcUnary({
  host,
  port,
  request,
  metadata: pairs,
}: At & {
  readonly request: string
  readonly metadata: Readonly<Record<string, string>>
}): Promise<string> {
  const client = new Client(`${host}:${port}`, credentials.createInsecure())
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(pairs)) metadata.set(name, value)
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(echoService.unary.path, serialize, deserialize, request, metadata, (error, answer) => {
      client.close()
      if (error) reject(error)
      else resolve(answer ?? '')
    })
  })
}
