// Runs in a pod and calls Services as other workloads of the cluster do. Told what to do over HTTP: POST /JOB {…}.
import { createServer } from 'node:http'
import { grpcCalls, grpcUnary } from './caller-grpc.ts'
import { askAll, get, latencies, loadFor, startLoad, transfer } from './caller-http.ts'
import { getSecure } from './caller-https.ts'
import { rawLines, rawReset, rawSink, udpCall } from './caller-raw.ts'
import { events, webSocket } from './caller-streams.ts'

// biome-ignore lint/suspicious/noExplicitAny: what a test sends is what its job takes
const jobs: Record<string, (input: any) => Promise<unknown> | unknown> = {
  get,
  getSecure,
  askAll,
  latencies,
  loadFor,
  transfer,
  webSocket,
  events,
  rawLines,
  rawReset,
  rawSink,
  udpCall,
  grpc: grpcCalls,
  grpcUnary,
}
/** Jobs that take longer than a request through the API server may. */
const started = new Map<string, Promise<unknown>>()
const loads = new Map<string, ReturnType<typeof startLoad>>()
let nextLoad = 0

createServer((request, response) => {
  // The API server must not keep a connection that we close while it sleeps: what it then sends there is lost.
  response.shouldKeepAlive = false
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const job = (request.url ?? '').slice(1)
    const run = async (): Promise<unknown> => {
      if (job === 'healthz') return 'ok'
      const input = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {}
      if (job === 'job-start') {
        const handler = jobs[input.job]
        if (!handler) throw new Error(`no job ${input.job}`)
        const id = String(nextLoad++)
        const running = Promise.resolve(handler(input.input))
        running.catch(() => undefined)
        started.set(id, running)
        return { id }
      }
      if (job === 'job-wait') {
        const pause = new Promise((resolve) => setTimeout(() => resolve({ pending: true }), 5_000))
        return Promise.race([Promise.resolve(started.get(input.id)).then((result) => ({ result })), pause])
      }
      if (job === 'load-start') {
        const id = String(nextLoad++)
        loads.set(id, startLoad(input))
        return { id }
      }
      if (job === 'load-peek') return loads.get(input.id)?.peek()
      if (job === 'load-stop') {
        const load = loads.get(input.id)
        loads.delete(input.id)
        return load?.stop()
      }
      const handler = jobs[job]
      if (!handler) throw new Error(`no job ${job}`)
      return handler(input)
    }
    run().then(
      (result) => {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(result ?? null))
      },
      (error: unknown) => {
        response.statusCode = 200
        response.setHeader('content-type', 'application/json')
        response.end(
          JSON.stringify({
            error:
              error instanceof Error
                ? `${error.message} ${(error as NodeJS.ErrnoException).code ?? ''}`.trim()
                : String(error),
          }),
        )
      },
    )
  })
}).listen(Number(process.env.PORT_CONTROL ?? 9100), process.env.HOST || undefined)
