import { expect, test } from 'vitest'
import { ClusterView } from '../../../proxy-pod/controller/cluster-view.ts'
import { TlsSecrets } from '../../../proxy-pod/controller/tls-secrets.ts'
import { Replica } from '../../../proxy-pod/dataplane/replica.ts'
import { TunnelRegistry } from '../../../proxy-pod/gateway/tunnels.ts'
import { endpointSlices } from '../../../src/kube/resources.ts'
import type { ListOptions, ResourceType } from '../../../src/kube/types.ts'
import { createLog } from '../../../src/log.ts'
import { interceptType } from '../../../src/resource/intercept.ts'
import { FakeKube } from '../../cli/support/fake-kube.ts'
import { interceptOf } from '../support/objects.ts'

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
}

test('a Service that is gone, with its Intercepts, is not watched again and again', async () => {
  const kube = new FakeKube()
  let watches = 0
  const inform = kube.inform.bind(kube)
  // As the real one: what one watch brings is news before the other one is there.
  kube.inform = ((type: ResourceType, options?: ListOptions) => {
    watches += 1
    const informer = inform(type, options)
    const late = type.plural === endpointSlices.plural
    const own = informer.synced
    const synced = late ? turns(5).then(() => own) : own
    const onChange = informer.onChange.bind(informer)
    return Object.defineProperties(informer, {
      synced: { value: synced },
      onChange: {
        value: (listener: () => void) => {
          setImmediate(listener)
          return onChange(listener)
        },
      },
    })
  }) as typeof kube.inform
  const log = createLog('silent', {})
  const view = new ClusterView(kube, 'intercept-system', [])
  const tlsSecrets = new TlsSecrets(kube, log)
  const replica = new Replica({
    kube,
    view,
    tunnels: new TunnelRegistry(),
    tlsSecrets,
    pod: { name: 'intercept-proxy-0', uid: 'uid-0', ips: ['127.0.0.1'] },
    host: '127.0.0.1',
    log,
    traffic: () => {
      throw new Error('there is no traffic')
    },
  })
  view.onChange(() => replica.wake())
  const intercept = interceptOf()
  kube.put(interceptType, intercept)
  replica.wake()
  while (!view.watchedServices.includes('shop/orders')) await new Promise(setImmediate)
  kube.remove(interceptType, 'shop', intercept.metadata.name)
  while (view.watchedServices.length > 0) await new Promise(setImmediate)
  // The leader looks at it once more.
  await view.watchService('shop/orders')
  const before = watches
  await turns(500)
  expect(watches - before).toBe(0)
  expect(view.watchedServices).toEqual([])
  replica.close()
  view.stop()
})
