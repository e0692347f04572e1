import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface RequestFigures {
  /** Requests a second; milliseconds. */
  readonly rps: number
  readonly p50: number
  readonly p99: number
}

export interface LoadClient {
  readonly name: string
  requests(port: number, connections: number, seconds: number): Promise<RequestFigures>
}

/** wrk where it is installed, else a client of our own. */
export async function findLoadClient(ownClient: string): Promise<LoadClient> {
  try {
    await run('sh', ['-c', 'command -v wrk'])
    return { name: 'wrk', requests: runWrk }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { name: 'own client', requests: (...args) => runOwn(ownClient, ...args) }
  }
}

async function runWrk(port: number, connections: number, seconds: number): Promise<RequestFigures> {
  const url = `http://127.0.0.1:${port}/`
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url])
  const number = (pattern: RegExp) => pattern.exec(stdout)
  const failed = /Socket errors:.*|Non-2xx.*/.exec(stdout)
  if (failed) throw new Error(`wrk: ${failed[0]}`)
  const milliseconds = (match: RegExpExecArray | null) =>
    Number(match?.[1]) * ({ us: 0.001, ms: 1, s: 1_000 }[match?.[2] ?? ''] ?? Number.NaN)
  return {
    rps: Number(number(/Requests\/sec:\s+([\d.]+)/)?.[1]),
    p50: milliseconds(number(/50%\s+([\d.]+)(us|ms|s)/)),
    p99: milliseconds(number(/99%\s+([\d.]+)(us|ms|s)/)),
  }
}

async function runOwn(script: string, port: number, connections: number, seconds: number): Promise<RequestFigures> {
  const { stdout } = await run(process.execPath, [script, String(port), String(connections), String(seconds)])
  return JSON.parse(stdout) as RequestFigures
}
