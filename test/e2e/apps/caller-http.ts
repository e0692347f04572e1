import { createHash } from 'node:crypto'
import { Agent, request } from 'node:http'
import { http2Asker } from './caller-http2.ts'

export interface At {
  host: string
  port: number
}

export interface RequestInput extends At {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: string
  timeoutMs?: number
}

export interface Answer {
  status: number
  who: string
  /** Address of whoever asked it, as it saw it. */
  peer: string
  body: string
}

/** One request, on a connection of its own where there is no agent. */
export function get(input: RequestInput & { agent?: Agent; close?: boolean }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: input.host,
        port: input.port,
        method: input.method ?? 'GET',
        path: input.path ?? '/',
        agent: input.agent ?? false,
        headers: { ...input.headers, ...(input.close ? { connection: 'close' } : {}) },
        timeout: input.timeoutMs ?? 10_000,
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          body += text
        })
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            who: String(response.headers['x-who'] ?? ''),
            peer: String(response.headers['x-peer'] ?? ''),
            body,
          }),
        )
        response.on('error', reject)
      },
    )
    call.on('timeout', () => call.destroy(new Error('timed out')))
    call.on('error', reject)
    call.end(input.body)
  })
}

export type LoadInput = RequestInput & { everyMs: number; keepAlive?: boolean; connections?: number; http2?: boolean }

export interface Asker {
  /** @param count of this request, from 1 */
  ask(count: number): Promise<{ status: number; who: string }>
  close(): void
}

function http1Asker(input: LoadInput): Asker {
  const agent = input.keepAlive
    ? new Agent({
        keepAlive: true,
        maxSockets: input.connections ?? 8,
        maxFreeSockets: input.connections ?? 8,
        scheduling: 'fifo',
      })
    : undefined
  return {
    ask: (count) => get({ ...input, ...(agent ? { agent, close: count % requestsPerConnection === 0 } : {}) }),
    close: () => agent?.destroy(),
  }
}

/** A pool renews its connections now and then, as real ones do. */
export const requestsPerConnection = 40

export interface LoadResult {
  sent: number
  ok: number
  failed: number
  /** Answers by who gave them. */
  by: Record<string, number>
  errors: Record<string, number>
  maxMs: number
  /** Longest time between two answers. */
  maxGapMs: number
}

/**
 * Open-loop load: a request every `everyMs` whatever becomes of those before. `keepAlive` reuses up to `connections`
 * connections, each for 40 requests, else each request has its own.
 */
export function startLoad(input: LoadInput) {
  const { ask, close } = input.http2 ? http2Asker(input) : http1Asker(input)
  const result: LoadResult = { sent: 0, ok: 0, failed: 0, by: {}, errors: {}, maxMs: 0, maxGapMs: 0 }
  const open = new Set<Promise<void>>()
  let lastAnswer = performance.now()
  const one = (): void => {
    const at = performance.now()
    result.sent += 1
    const call = ask(result.sent)
      .then(({ status, who }) => {
        const now = performance.now()
        result.maxMs = Math.max(result.maxMs, now - at)
        result.maxGapMs = Math.max(result.maxGapMs, now - lastAnswer)
        lastAnswer = now
        if (status === 200) {
          result.ok += 1
          result.by[who] = (result.by[who] ?? 0) + 1
        } else {
          result.failed += 1
          result.errors[`status ${status}`] = (result.errors[`status ${status}`] ?? 0) + 1
        }
      })
      .catch((error: NodeJS.ErrnoException) => {
        result.failed += 1
        const text = error.code ?? error.message
        result.errors[text] = (result.errors[text] ?? 0) + 1
      })
      .finally(() => open.delete(call))
    open.add(call)
  }
  const timer = setInterval(one, input.everyMs)
  one()
  return {
    peek: () => result,
    stop: async (): Promise<LoadResult> => {
      clearInterval(timer)
      await Promise.all(open)
      close()
      return result
    },
  }
}

/** Who answers each of several requests that differ in their headers, asked one after another on one connection. */
export async function askAll(input: At & { headers: Record<string, string>[] }): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const answers: string[] = []
  for (const headers of input.headers) answers.push((await get({ ...input, headers, agent })).who)
  agent.destroy()
  return answers
}

/** Median time in milliseconds of requests that differ in their headers, asked in turn on one connection. */
export async function latencies(input: At & { count: number; headers: Record<string, string>[] }): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times: number[][] = input.headers.map(() => [])
  for (let index = 0; index < input.count; index += 1) {
    for (const [kind, headers] of input.headers.entries()) {
      const at = performance.now()
      await get({ ...input, headers, agent })
      times[kind]?.push(performance.now() - at)
    }
  }
  agent.destroy()
  return times.map((list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0)
}

/** The same for a given time. */
export async function loadFor(input: Parameters<typeof startLoad>[0] & { forMs: number }): Promise<LoadResult> {
  const load = startLoad(input)
  await new Promise((resolve) => setTimeout(resolve, input.forMs))
  return load.stop()
}

/** Downloads or uploads so many bytes and compares checksums. */
export function transfer(
  input: At & { direction: 'up' | 'down'; bytes: number },
): Promise<{ who: string; bytes: number; intact: boolean; ms: number }> {
  const startedAt = performance.now()
  return input.direction === 'down' ? download(input, startedAt) : upload(input, startedAt)
}

function download(
  input: At & { bytes: number },
  startedAt: number,
): Promise<{ who: string; bytes: number; intact: boolean; ms: number }> {
  return new Promise((resolve, reject) => {
    request(
      { host: input.host, port: input.port, path: `/download?bytes=${input.bytes}`, agent: false },
      (response) => {
        const hash = createHash('sha256')
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          hash.update(chunk)
          bytes += chunk.length
        })
        response.on('end', () =>
          resolve({
            who: String(response.headers['x-who']),
            bytes,
            intact: bytes === input.bytes && response.trailers['x-sha256'] === hash.digest('hex'),
            ms: performance.now() - startedAt,
          }),
        )
        response.on('error', reject)
      },
    )
      .on('error', reject)
      .end()
  })
}

function upload(
  input: At & { bytes: number },
  startedAt: number,
): Promise<{ who: string; bytes: number; intact: boolean; ms: number }> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256')
    const call = request(
      { host: input.host, port: input.port, path: '/upload', method: 'POST', agent: false },
      (response) => {
        let body = ''
        response.on('data', (text) => {
          body += text
        })
        response.on('end', () => {
          const answer = JSON.parse(body) as { who: string; bytes: number; sha256: string }
          resolve({
            who: answer.who,
            bytes: answer.bytes,
            intact: answer.sha256 === hash.digest('hex') && answer.bytes === input.bytes,
            ms: performance.now() - startedAt,
          })
        })
        response.on('error', reject)
      },
    )
    call.on('error', reject)
    const block = Buffer.alloc(1 << 20, 'intercept')
    let left = input.bytes
    const write = (): void => {
      while (left > 0) {
        const chunk = left >= block.length ? block : block.subarray(0, left)
        hash.update(chunk)
        left -= chunk.length
        if (!call.write(chunk)) return void call.once('drain', write)
      }
      call.end()
    }
    write()
  })
}
