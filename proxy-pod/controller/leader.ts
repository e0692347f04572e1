import { codeOf, messageOf } from '../../src/errors.ts'
import type { Lease } from '../../src/kube/objects.ts'
import { leases } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import type { Log } from '../../src/log.ts'
import { PROXY_NAME } from '../../src/resource/names.ts'
import type { Replica } from '../../src/takeover/plan.ts'

export const leaderLimits = {
  /** A lease that was not renewed for so long may be taken. Milliseconds. */
  leaseMs: 6_000,
  renewMs: 1_500,
  /** The same where the leader's pod is not ready: more than two renewals were missed. */
  notReadyMs: 3_500,
  /** A leader that could not renew for so long stops to lead, before another may start. */
  giveUpMs: 3_400,
}

/** One of the replicas leads: it alone changes Services. Kept in a Lease, named after the proxy. */
export class LeaderElection {
  readonly #kube: Kube
  readonly #namespace: string
  readonly #identity: string
  readonly #replicas: () => readonly Replica[]
  readonly #onChange: (leads: boolean) => void
  readonly #log: Log
  #renewedAt = 0
  #leads = false
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #seen: { version: string; at: number } | undefined

  constructor(
    kube: Kube,
    namespace: string,
    pod: { name: string; uid: string },
    replicas: () => readonly Replica[],
    log: Log,
    onChange: (leads: boolean) => void,
  ) {
    this.#kube = kube
    this.#namespace = namespace
    this.#identity = `${pod.name}_${pod.uid}`
    this.#replicas = replicas
    this.#log = log
    this.#onChange = onChange
  }

  get leads(): boolean {
    return this.#leads && Date.now() - this.#renewedAt < leaderLimits.giveUpMs
  }

  async run(): Promise<void> {
    if (this.#stopped) return
    try {
      await this.#attempt()
    } catch (error) {
      if (codeOf(error) === 'conflict' || codeOf(error) === 'already-exists') this.#lose('another replica was first')
      else this.#log.warn({ err: error }, `the lease cannot be renewed: ${messageOf(error)}`)
    }
    if (this.#leads && Date.now() - this.#renewedAt >= leaderLimits.giveUpMs) this.#lose('could not renew in time')
    if (this.#stopped) return
    const jitter = 0.9 + Math.random() * 0.2
    this.#timer = setTimeout(() => {
      // While it runs nobody may hurry it: two would go on for ever.
      this.#timer = undefined
      void this.run()
    }, leaderLimits.renewMs * jitter)
  }

  /** Looks at once instead of at the next renewal: the leader's pod may be gone. */
  hurry(): void {
    if (this.#leads || this.#stopped || !this.#timer) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    void this.run()
  }

  /** Gives the lease back, so that another need not wait for its end. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    if (!this.#leads) return
    this.#lose('stopped')
    try {
      await this.#giveBack()
    } catch (error) {
      // It runs out by itself; an uninstallation may have taken our rights already.
      this.#log.warn({ err: error }, `the lease was not given back: ${messageOf(error)}`)
    }
  }

  async #giveBack(): Promise<void> {
    const lease = await this.#kube.find<Lease>(leases, this.#namespace, PROXY_NAME)
    if (lease?.spec?.holderIdentity !== this.#identity) return
    await this.#kube.patch(
      leases,
      this.#namespace,
      PROXY_NAME,
      { metadata: { resourceVersion: lease.metadata.resourceVersion }, spec: { holderIdentity: '', renewTime: null } },
      { type: 'merge' },
    )
  }

  async #attempt(): Promise<void> {
    const lease = await this.#kube.find<Lease>(leases, this.#namespace, PROXY_NAME)
    const now = Date.now()
    const spec = {
      holderIdentity: this.#identity,
      leaseDurationSeconds: leaderLimits.leaseMs / 1000,
      renewTime: microTime(now),
    }
    if (!lease) {
      await this.#kube.create<Lease>(leases, {
        metadata: { name: PROXY_NAME, namespace: this.#namespace },
        spec: { ...spec, acquireTime: microTime(now), leaseTransitions: 0 },
      })
    } else {
      const isOurs = lease.spec?.holderIdentity === this.#identity
      if (!isOurs && !this.#mayTake(lease, now)) return this.#lose('another replica leads')
      const transition = isOurs
        ? {}
        : { acquireTime: microTime(now), leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 }
      await this.#kube.patch(
        leases,
        this.#namespace,
        PROXY_NAME,
        { metadata: { resourceVersion: lease.metadata.resourceVersion }, spec: { ...spec, ...transition } },
        { type: 'merge' },
      )
    }
    this.#renewedAt = now
    if (this.#leads || this.#stopped) return
    this.#leads = true
    this.#log.info('this replica leads')
    this.#onChange(true)
  }

  /** Judged by our own clock: how long the lease has looked the same to us. */
  #mayTake(lease: Lease, now: number): boolean {
    const holder = lease.spec?.holderIdentity ?? ''
    if (holder === '') return true
    const uid = holder.slice(holder.lastIndexOf('_') + 1)
    const pod = this.#replicas().find((replica) => replica.uid === uid)
    if (!pod) return true
    const version = lease.metadata.resourceVersion ?? ''
    if (this.#seen?.version !== version) this.#seen = { version, at: now }
    return now - this.#seen.at > (pod.ready ? leaderLimits.leaseMs : leaderLimits.notReadyMs)
  }

  #lose(reason: string): void {
    if (!this.#leads) return
    this.#leads = false
    this.#log.info({ reason }, 'this replica no longer leads')
    this.#onChange(false)
  }
}

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')
