import { afterAll, expect, test } from 'vitest'
import type { Lease, Pod, StatefulSet } from '../../src/kube/objects.ts'
import { leases, pods, statefulSets } from '../../src/kube/resources.ts'
import { DEFAULT_SYSTEM_NAMESPACE, PROXY_NAME, PROXY_STATEFULSET } from '../../src/resource/names.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'
import { until } from './support/until.ts'

const s = scenario()
const system = DEFAULT_SYSTEM_NAMESPACE

/** Arms the leader's fault points; rolls the proxy pods. */
async function arm(points: string): Promise<void> {
  const container = { name: 'proxy', env: [{ name: 'INTERCEPT_FAULT_POINTS', value: points }] }
  const { metadata } = await s.kube.patch<StatefulSet>(
    statefulSets,
    system,
    PROXY_STATEFULSET,
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: PROXY_STATEFULSET, namespace: system },
      spec: { template: { spec: { containers: [container] } } },
    },
    { type: 'apply', fieldManager: 'intercept-e2e', force: true },
  )
  await until(
    'the roll-out of armed proxy pods',
    async () => {
      const set = await s.kube.get<StatefulSet>(statefulSets, system, PROXY_STATEFULSET)
      const { observedGeneration, updatedReplicas, readyReplicas, currentRevision, updateRevision } = set.status ?? {}
      return (
        (observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
        currentRevision === updateRevision &&
        readyReplicas === set.spec?.replicas &&
        (updatedReplicas === undefined || updatedReplicas === set.spec?.replicas)
      )
    },
    120_000,
  )
}

const restarts = async (): Promise<number> => {
  const found = await s.kube.list<Pod>(pods, {
    namespace: system,
    labelSelector: `app.kubernetes.io/name=${PROXY_NAME}`,
  })
  return found.reduce((sum, pod) => sum + (pod.status?.containerStatuses?.[0]?.restartCount ?? 0), 0)
}

afterAll(async () => {
  if (s.cluster) await arm('')
}, 150_000)

test.each(['create-origin', 'add-key', 'remove-key', 'delete-origin'])(
  'the leader is killed before and after %s: the takeover and the release are finished all the same',
  { timeout: 240_000 },
  async (step) => {
    await arm(`before:${step},after:${step}`)
    const load = await s.caller.load({ ...(await s.at('orders')), everyMs: 50, timeoutMs: 5_000 })
    const { run } = await s.intercept('svc/orders', '--port', String(s.local.ports.http))
    await s.settled('orders', 'laptop')
    expect(await run.interrupt(), run.output).toBe(0)
    await s.settled('orders', /^orders-/)
    await expectAsBefore(s.kube, s.namespace, s.before)
    const result = await load.stop()
    // A killed process takes the connections that it had with it, and kube-proxy needs a moment to forget it.
    console.log(
      `leader killed around ${step}: ${result.failed} of ${result.sent} requests failed, longest gap ${Math.round(result.maxGapMs)} ms`,
    )
    expect(result.maxGapMs).toBeLessThan(10_000)
    await until('both kills happened', async () => (await restarts()) >= 2)
  },
)

test('the lease names the leader, and another takes it over when its pod is deleted', {
  timeout: 120_000,
}, async () => {
  const holder = async (): Promise<string> =>
    (await s.kube.get<Lease>(leases, system, PROXY_NAME)).spec?.holderIdentity ?? ''
  const before = await until('a leader', async () => (await holder()) || undefined)
  const [name = ''] = before.split('_')
  await s.kube.delete(pods, system, name)
  await until('another leader', async () => {
    const now = await holder()
    return now !== '' && now !== before ? true : undefined
  })
})
