import { codeOf, messageOf } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import type { Log } from '../../src/log.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import { accept } from '../../src/takeover/acceptance.ts'
import { nextStep, type Step } from '../../src/takeover/plan.ts'
import { carryOut } from '../../src/takeover/steps.ts'
import type { Metrics } from '../metrics.ts'
import type { ClusterView, ServiceKey } from './cluster-view.ts'
import { passFaultPoint } from './fault-point.ts'
import { headlessPortsOf } from './headless-ports.ts'
import { isExpired, leaderStatus } from './status.ts'
import type { TlsSecrets } from './tls-secrets.ts'

/** A Service is looked at again after so long at the latest, in milliseconds: no event may be the last. */
const resyncMs = 5_000
const maxBackoffMs = 5_000

interface Work {
  running: boolean
  again: boolean
  failures: number
  timer: NodeJS.Timeout | undefined
  since: { wanted: boolean; at: number } | undefined
}

/** Brings Services to where their Intercepts want them, one step after another, while this replica leads. */
export class Controller {
  readonly #kube: Kube
  readonly #view: ClusterView
  readonly #tlsSecrets: TlsSecrets
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #faultPoints: readonly string[]
  readonly #leads: () => boolean
  readonly #work = new Map<ServiceKey, Work>()

  constructor(
    parts: {
      kube: Kube
      view: ClusterView
      tlsSecrets: TlsSecrets
      log: Log
      metrics: Metrics
      faultPoints: readonly string[]
    },
    leads: () => boolean,
  ) {
    this.#kube = parts.kube
    this.#view = parts.view
    this.#tlsSecrets = parts.tlsSecrets
    this.#log = parts.log
    this.#metrics = parts.metrics
    this.#faultPoints = parts.faultPoints
    this.#leads = leads
  }

  /** Something changed in the cluster, or this replica began to lead. */
  wake(): void {
    if (!this.#leads()) return
    for (const key of this.#view.serviceKeys) this.#reconcile(key)
  }

  stop(): void {
    for (const work of this.#work.values()) clearTimeout(work.timer)
    this.#work.clear()
  }

  #reconcile(key: ServiceKey): void {
    const work = this.#work.get(key) ?? {
      running: false,
      again: false,
      failures: 0,
      timer: undefined,
      since: undefined,
    }
    this.#work.set(key, work)
    if (work.running) {
      work.again = true
      return
    }
    clearTimeout(work.timer)
    work.running = true
    work.again = false
    this.#once(key, work)
      .then(
        () => {
          work.failures = 0
          return resyncMs
        },
        (error: unknown) => {
          work.failures += 1
          // Somebody else was faster: the watch brings what we have not seen.
          if (codeOf(error) === 'conflict' || codeOf(error) === 'already-exists') return 50
          this.#log.warn({ err: error, service: key }, `step failed: ${messageOf(error)}`)
          return Math.min(maxBackoffMs, 100 * 2 ** work.failures)
        },
      )
      .then((delay) => {
        work.running = false
        // Done with, or no longer ours to do.
        if (!this.#leads() || this.#work.get(key) !== work) return
        if (work.again) return this.#reconcile(key)
        work.timer = setTimeout(() => this.#reconcile(key), delay)
      })
  }

  async #once(key: ServiceKey, work: Work): Promise<void> {
    if (!this.#view.serviceKeys.has(key)) return void this.#work.delete(key)
    await this.#view.watchService(key)
    if (!this.#leads()) return
    const intercepts = this.#view.interceptsOf(key)
    const before = this.#view.observe(key, false)
    const { accepted, refused } = accept(before?.service, intercepts, headlessPortsOf(this.#view, key))
    const observed = this.#view.observe(key, accepted.length > 0)
    const step = observed && nextStep(observed)
    let error: unknown
    let tookMs: number | undefined
    if (observed && step) {
      tookMs = this.#time(work, observed.wanted, step)
      if (step.kind !== 'wait' && step.kind !== 'done') {
        passFaultPoint(this.#faultPoints, 'before', step)
        this.#log.info({ service: key, step: step.kind }, 'step')
        try {
          await carryOut(this.#kube, observed.service, step)
        } catch (thrown) {
          error = thrown
        }
        passFaultPoint(this.#faultPoints, 'after', step)
      }
    }
    // A step that was carried out is followed by another at once; people are told where it waits or ends.
    const isResting = !step || step.kind === 'wait' || step.kind === 'done' || error !== undefined
    for (const intercept of isResting ? intercepts : []) {
      const reason = error === undefined ? undefined : messageOf(error)
      await this.#report(intercept, refused.get(intercept), step, reason, tookMs)
    }
    if (error !== undefined) throw error
    if (intercepts.length === 0 && (!step || step.kind === 'done')) {
      this.#work.delete(key)
    }
  }

  /** @returns with the last step, how long the takeover (or release) took, in milliseconds */
  #time(work: Work, wanted: boolean, step: Step): number | undefined {
    if (work.since?.wanted !== wanted) work.since = { wanted, at: performance.now() }
    if (step.kind !== 'done' || work.since.at === 0) return undefined
    const tookMs = Math.round(performance.now() - work.since.at)
    const histogram = wanted ? this.#metrics.takeoverSeconds : this.#metrics.releaseSeconds
    histogram.observe(tookMs / 1000)
    work.since.at = 0
    return tookMs
  }

  async #report(
    intercept: Intercept,
    refusal: Parameters<typeof leaderStatus>[0]['refusal'],
    step: Step | undefined,
    error: string | undefined,
    tookMs: number | undefined,
  ): Promise<void> {
    const now = Date.now()
    const readyUids = new Set(this.#view.replicas.filter(({ ready }) => ready).map(({ uid }) => uid))
    const { namespace, name } = intercept.metadata
    if (isExpired(intercept, readyUids, now)) {
      this.#log.info({ intercept: `${namespace}/${name}` }, 'its ttl is over: deleted')
      const { uid } = intercept.metadata
      await this.#kube.delete(interceptType, namespace, name, uid === undefined ? {} : { uid })
      return
    }
    const { tls } = intercept.spec
    const tlsTrouble = tls && (await this.#tlsSecrets.trouble(namespace, tls.secretName))
    const status = leaderStatus({
      intercept,
      tlsTrouble,
      refusal,
      step,
      error,
      tookMs,
      readyUids,
      now: new Date(now).toISOString(),
    })
    const { replicas: _replicas, ...current } = intercept.status ?? {}
    if (sameStatus(current, status)) return
    await this.#kube
      .patch<Intercept>(
        interceptType,
        namespace,
        name,
        { status: { message: null, ...status } },
        { type: 'merge', subresource: 'status' },
      )
      .catch((thrown: unknown) => {
        if (codeOf(thrown) !== 'not-found') throw thrown
      })
  }
}

const sameStatus = (a: object, b: object): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}
