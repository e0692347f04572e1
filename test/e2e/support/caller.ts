import type { Kube } from '../../../src/kube/types.ts'
import type { Answer, LoadInput, LoadResult, RequestInput } from '../apps/caller-http.ts'
import type { ClusterDriver } from './cluster.ts'
import { deploy, podsOf } from './workload.ts'

/** A pod of the cluster that calls Services. */
export class Caller {
  readonly #kube: Kube
  readonly #base: string
  readonly #isDirect: boolean

  private constructor(kube: Kube, namespace: string, pod: string, url: string | undefined) {
    this.#kube = kube
    this.#isDirect = url !== undefined
    this.#base = url ?? `/api/v1/namespaces/${namespace}/pods/${pod}:9100/proxy`
  }

  static async create(kube: Kube, namespace: string, driver: Pick<ClusterDriver, 'podUrl'>): Promise<Caller> {
    await deploy(kube, namespace, 'caller', { script: 'caller' })
    const [pod] = await podsOf(kube, namespace, 'caller')
    const name = pod?.metadata.name ?? ''
    return new Caller(kube, namespace, name, driver.podUrl?.(namespace, name, 9100))
  }

  /** Runs one job of test/e2e/apps/caller.ts. Rejects with the error that the caller met. */
  async call<T>(job: string, input: object): Promise<T> {
    const answer = (await this.#post(`${this.#base}/${job}`, input)) as T & { error?: string }
    if (answer && typeof answer === 'object' && 'error' in answer && answer.error !== undefined)
      throw new Error(answer.error)
    return answer
  }

  async #post(path: string, input: object): Promise<unknown> {
    if (!this.#isDirect) return this.#kube.request<unknown>('POST', path, input)
    const response = await fetch(path, { method: 'POST', body: JSON.stringify(input) })
    return response.json()
  }

  /** The same for a job that may take minutes. */
  async callLong<T>(job: string, input: object): Promise<T> {
    return (await this.start<T>(job, input)).result()
  }

  /** Starts such a job. The caller is not asked before `result`: the API server may be away meanwhile. */
  async start<T>(job: string, input: object): Promise<{ result(): Promise<T> }> {
    const { id } = await this.call<{ id: string }>('job-start', { job, input })
    return {
      result: async () => {
        for (;;) {
          const answer = await this.call<{ pending?: true; result?: T }>('job-wait', { id })
          if (!answer.pending) return answer.result as T
        }
      },
    }
  }

  get(request: RequestInput): Promise<Answer> {
    return this.call('get', request)
  }

  /** Starts open-loop load. */
  async load(input: LoadInput): Promise<{ peek(): Promise<LoadResult>; stop(): Promise<LoadResult> }> {
    const { id } = await this.call<{ id: string }>('load-start', input)
    return {
      peek: () => this.call<LoadResult>('load-peek', { id }),
      stop: () => this.call<LoadResult>('load-stop', { id }),
    }
  }
}
