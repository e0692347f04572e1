import { expect, it } from 'vitest'
import { parseResolvConf, settingsFor } from '../../../proxy-pod/outbound/resolv-conf.ts'

const ofPod = `# written by the kubelet
search intercept-system.svc.k8s.local svc.k8s.local k8s.local example.internal
nameserver 10.96.0.10
nameserver nonsense
options ndots:5 edns0
`

it('the settings of a pod of another namespace are ours, with its own search list', () => {
  expect(settingsFor(parseResolvConf(ofPod), 'shop')).toEqual({
    nameservers: ['10.96.0.10'],
    searches: ['shop.svc.k8s.local', 'svc.k8s.local', 'k8s.local', 'example.internal'],
    options: ['ndots:5', 'edns0'],
  })
})

it('where we are in no pod they are what the kubelet would write', () => {
  expect(settingsFor(parseResolvConf('nameserver 127.0.0.53\noptions edns0 trust-ad\n'), 'shop')).toEqual({
    nameservers: ['127.0.0.53'],
    searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    options: ['ndots:5', 'edns0', 'trust-ad'],
  })
})
