import type { KubeObject } from '../../../../src/kube/types.ts'
import { dig } from '../json.ts'
import { nameSuffix } from '../resources/name-rules.ts'
import { timestamp } from '../timestamp.ts'
import type { Control } from './control.ts'

interface Event extends KubeObject {
  involvedObject?: { uid?: string }
  reason?: string
  message?: string
  count?: number
  lastTimestamp?: string
}

/** A namespace keeps no more; the oldest go. */
const maxEvents = 200

/** Records what happened to an object, as `kubectl describe` shows it; the same again only counts. */
export function recordEvent(
  control: Control,
  object: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  component = 'kubelet',
): void {
  const { namespace = 'default', name, uid = '' } = object.metadata
  const events = control.store.list<Event>('events', namespace)
  const known = events.find(
    (event) => event.involvedObject?.uid === uid && event.reason === reason && event.message === message,
  )
  const now = timestamp()
  if (known) {
    control.edit<Event>('events', known, (draft) => {
      draft.count = (draft.count ?? 1) + 1
      draft.lastTimestamp = now
    })
    return
  }
  const home = control.store.get('namespaces', undefined, namespace)
  if (!home || home.metadata.deletionTimestamp) return
  const oldest = events.sort((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''))
  for (const event of oldest.slice(0, Math.max(0, events.length - maxEvents))) control.delete('events', event)
  control.create('events', {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${Date.now().toString(16)}${nameSuffix()}`, namespace },
    involvedObject: {
      kind: object.kind ?? 'Pod',
      namespace,
      name,
      uid,
      apiVersion: object.apiVersion ?? 'v1',
      resourceVersion: dig(object, 'metadata', 'resourceVersion'),
    },
    reason,
    message,
    source: { component },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    type,
    eventTime: null,
    reportingComponent: component,
    reportingInstance: '',
  } as KubeObject)
}
