import type { KubeObject } from '../../src/kube/types.ts'
import { admissionObjects } from '../../src/resource/admission.ts'
import { connectionCrd, interceptCrd } from '../../src/resource/crd.ts'
import { gatewayServices } from './gateway.ts'
import { clusterMetadata } from './metadata.ts'
import { networkPolicy } from './network-policy.ts'
import { type InstallOptions, installDefaults } from './options.ts'
import { preview } from './preview.ts'
import { rbac } from './rbac.ts'
import { serviceMonitor } from './service-monitor.ts'
import { workload } from './workload.ts'

/**
 * Everything of an installation but its namespace, in the order in which it is applied; the chart renders the same.
 * `bundle` is the gzipped JavaScript of the proxy pod.
 */
export function installObjects(options: Partial<InstallOptions>, bundle: Buffer): KubeObject[] {
  const all: InstallOptions = { ...installDefaults, ...options }
  return [
    ...(all.crd.create ? [interceptCrd(), connectionCrd()].map((crd) => labelled(all, crd)) : []),
    ...(all.admissionPolicy.create
      ? admissionObjects(all.namespace, String(all.wholeServiceIntercepts)).map((object) => labelled(all, object))
      : []),
    ...rbac(all),
    ...networkPolicy(all),
    ...preview(all),
    ...gatewayServices(all),
    ...workload(all, bundle),
    ...serviceMonitor(all),
  ]
}

function labelled<T extends KubeObject>(options: InstallOptions, object: T): T {
  return { ...object, metadata: clusterMetadata(options, object.metadata.name) }
}
