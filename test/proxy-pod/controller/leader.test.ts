import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LeaderElection, leaderLimits } from '../../../proxy-pod/controller/leader.ts'
import { KubeError } from '../../../src/kube/error.ts'
import type { Lease } from '../../../src/kube/objects.ts'
import { leases } from '../../../src/kube/resources.ts'
import type { Log } from '../../../src/log.ts'
import type { Replica } from '../../../src/takeover/plan.ts'
import { FakeKube } from '../../cli/support/fake-kube.ts'

const log: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000, toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Replicas that share a lease, each with a way of its own to the API server. */
class Replicas {
  readonly kube = new FakeKube()
  readonly pods: Replica[] = []
  readonly elections: LeaderElection[] = []
  readonly changes: string[] = []
  /** By replica: the API server does not answer it. */
  readonly cut = new Set<number>()

  add(uid = `u${this.pods.length}`): LeaderElection {
    const index = this.elections.length
    const pod = { name: `intercept-proxy-${index}`, uid, ready: true }
    this.pods.push(pod)
    const kube = new Proxy(this.kube, {
      get: (target, name) => {
        const value = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          if (this.cut.has(index)) throw new KubeError('api-unreachable', 'no answer')
          return Reflect.apply(value, target, args)
        }
      },
    })
    const election = new LeaderElection(
      kube,
      'intercept-system',
      pod,
      () => this.pods,
      log,
      (leads) => this.changes.push(`${index} ${leads ? 'leads' : 'stops'}`),
    )
    this.elections.push(election)
    return election
  }

  get leaders(): number[] {
    return this.elections.flatMap((election, index) => (election.leads ? [index] : []))
  }

  get lease(): Lease | undefined {
    return this.kube.peek<Lease>(leases, 'intercept-system', 'intercept-proxy')
  }

  /** Passes time in small steps, and looks after each that there are not two leaders. */
  async pass(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 100) {
      await vi.advanceTimersByTimeAsync(100)
      expect(this.leaders.length).toBeLessThanOrEqual(1)
    }
  }
}

describe('of two replicas that start together', () => {
  test('one leads, and goes on leading', async () => {
    const replicas = new Replicas()
    await Promise.all([replicas.add().run(), replicas.add().run()])
    expect(replicas.leaders).toEqual([0])
    await replicas.pass(60_000)
    expect(replicas.leaders).toEqual([0])
    expect(replicas.changes).toEqual(['0 leads'])
    expect(replicas.lease?.spec).toMatchObject({ holderIdentity: 'intercept-proxy-0_u0', leaseTransitions: 0 })
    expect(replicas.lease?.spec?.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  })
})

describe('the other one leads', () => {
  async function two(): Promise<Replicas> {
    const replicas = new Replicas()
    await replicas.add().run()
    await replicas.add().run()
    return replicas
  }

  test('at once when the leader gives back', async () => {
    const replicas = await two()
    await replicas.elections[0]?.stop()
    expect(replicas.leaders).toEqual([])
    expect(replicas.lease?.spec?.holderIdentity).toBe('')
    replicas.elections[1]?.hurry()
    await vi.advanceTimersByTimeAsync(0)
    expect(replicas.leaders).toEqual([1])
    expect(replicas.changes).toEqual(['0 leads', '0 stops', '1 leads'])
  })

  test("at once when the leader's pod is gone", async () => {
    const replicas = await two()
    replicas.cut.add(0)
    await vi.advanceTimersByTimeAsync(leaderLimits.giveUpMs)
    replicas.pods.shift()
    replicas.elections[1]?.hurry()
    await vi.advanceTimersByTimeAsync(0)
    expect(replicas.leaders).toEqual([1])
    expect(replicas.lease?.spec?.leaseTransitions).toBe(1)
  })

  test('when the leader cannot reach the API server, and never while it still thinks that it leads', async () => {
    const replicas = await two()
    await replicas.pass(10_000)
    replicas.cut.add(0)
    await replicas.pass(leaderLimits.leaseMs + 2 * leaderLimits.renewMs)
    expect(replicas.leaders).toEqual([1])
    replicas.cut.delete(0)
    await replicas.pass(20_000)
    expect(replicas.leaders).toEqual([1])
  })

  test('sooner when the leader is not ready, but not while it leads', async () => {
    const replicas = await two()
    const before = replicas.lease?.metadata.resourceVersion
    while (replicas.lease?.metadata.resourceVersion === before) {
      await replicas.pass(100)
      replicas.elections[1]?.hurry()
    }
    replicas.cut.add(0)
    const [leader] = replicas.pods
    if (leader) replicas.pods[0] = { ...leader, ready: false }
    for (let at = 0; at < leaderLimits.leaseMs; at += 100) {
      replicas.elections[1]?.hurry()
      await replicas.pass(100)
    }
    expect(replicas.leaders).toEqual([1])
  })

  test('not when only its own clock is wrong', async () => {
    const replicas = await two()
    await replicas.pass(3_000)
    replicas.kube.put(leases, {
      ...(replicas.lease as Lease),
      spec: { ...replicas.lease?.spec, renewTime: '1999-01-01T00:00:00.000000Z' },
    })
    await replicas.pass(3_000)
    expect(replicas.leaders).not.toContain(1)
  })

  test('a pod of the same name is another one', async () => {
    const replicas = await two()
    await replicas.elections[0]?.stop()
    replicas.kube.put(leases, {
      ...(replicas.lease as Lease),
      spec: { ...replicas.lease?.spec, holderIdentity: 'intercept-proxy-0_an-earlier-pod' },
    })
    replicas.elections[1]?.hurry()
    await vi.advanceTimersByTimeAsync(0)
    expect(replicas.leaders).toEqual([1])
  })
})

describe('a leader', () => {
  test('that finds its lease taken stops at once', async () => {
    const replicas = new Replicas()
    await replicas.add().run()
    replicas.kube.put(leases, {
      ...(replicas.lease as Lease),
      spec: { ...replicas.lease?.spec, holderIdentity: 'intercept-proxy-9_u9' },
    })
    replicas.pods.push({ name: 'intercept-proxy-9', uid: 'u9', ready: true })
    await vi.advanceTimersByTimeAsync(leaderLimits.renewMs * 1.2)
    expect(replicas.changes).toEqual(['0 leads', '0 stops'])
  })

  test('that loses the race for a renewal stops', async () => {
    const replicas = new Replicas()
    await replicas.add().run()
    replicas.kube.before = (verb) => {
      if (verb === 'patch') throw new KubeError('conflict', 'somebody was faster')
    }
    await vi.advanceTimersByTimeAsync(leaderLimits.renewMs * 1.2)
    expect(replicas.changes).toEqual(['0 leads', '0 stops'])
  })

  test('survives one renewal that fails', async () => {
    const replicas = new Replicas()
    await replicas.add().run()
    replicas.cut.add(0)
    await vi.advanceTimersByTimeAsync(leaderLimits.renewMs * 1.2)
    replicas.cut.delete(0)
    await vi.advanceTimersByTimeAsync(leaderLimits.renewMs * 1.2)
    expect(replicas.changes).toEqual(['0 leads'])
    expect(replicas.leaders).toEqual([0])
  })

  test('that may no longer write gives up without an error', async () => {
    const replicas = new Replicas()
    await replicas.add().run()
    replicas.cut.add(0)
    await replicas.elections[0]?.stop()
    expect(replicas.leaders).toEqual([])
  })

  test('that was stopped neither leads again nor asks', async () => {
    const replicas = new Replicas()
    await replicas.add().run()
    await replicas.elections[0]?.stop()
    const asked = replicas.kube.asked.length
    replicas.elections[0]?.hurry()
    await vi.advanceTimersByTimeAsync(30_000)
    expect(replicas.kube.asked).toHaveLength(asked)
  })
})

test('however often it is hurried while the API server is slow, it asks no more often afterwards', async () => {
  const replicas = new Replicas()
  await replicas.add().run()
  const second = replicas.add()
  await second.run()
  replicas.kube.before = () => {
    second.hurry()
    return new Promise((resolve) => setTimeout(resolve, 300))
  }
  await vi.advanceTimersByTimeAsync(10_000)
  replicas.kube.before = () => undefined
  await vi.advanceTimersByTimeAsync(3_000)
  const before = replicas.kube.asked.length
  await vi.advanceTimersByTimeAsync(15_000)
  // Two replicas, ten renewals: the leader reads and writes, the other reads.
  expect(replicas.kube.asked.length - before).toBeLessThan(40)
})

test('whatever happens to whom, there are never two leaders, and in the end there is one', async () => {
  const step = fc.record({
    what: fc.constantFrom('cut', 'mend', 'not ready', 'ready', 'hurry', 'slow', 'fast'),
    who: fc.integer({ min: 0, max: 2 }),
    ms: fc.integer({ min: 0, max: 5_000 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const replicas = new Replicas()
      for (let index = 0; index < 3; index += 1) await replicas.add().run()
      const setReady = (who: number, ready: boolean): void => {
        const pod = replicas.pods[who]
        if (pod) replicas.pods[who] = { ...pod, ready }
      }
      for (const { what, who, ms } of steps) {
        if (what === 'cut') replicas.cut.add(who)
        else if (what === 'mend') replicas.cut.delete(who)
        else if (what === 'not ready') setReady(who, false)
        else if (what === 'ready') setReady(who, true)
        else if (what === 'hurry') replicas.elections[who]?.hurry()
        else replicas.kube.before = () => new Promise((resolve) => setTimeout(resolve, what === 'slow' ? 700 : 0))
        await replicas.pass(ms)
      }
      replicas.cut.clear()
      replicas.kube.before = () => undefined
      await replicas.pass(12_000)
      expect(replicas.leaders).toHaveLength(1)
      await Promise.all(replicas.elections.map((election) => election.stop()))
      vi.clearAllTimers()
    }),
    { numRuns: 40 },
  )
})
