import type { FieldError } from '../api-error.ts'
import { type Dict, dictOf, ensureDict, isDict, listOf, sameJson } from '../json.ts'

/** Fills in a pod as the API server and its admission plugins do, service account volume aside. */
export function podDefaults(pod: Dict, previous: Dict | undefined): void {
  const spec = ensureDict(pod, 'spec')
  podSpecDefaults(spec)
  spec.enableServiceLinks ??= true
  spec.preemptionPolicy ??= 'PreemptLowerPriority'
  spec.priority ??= 0
  spec.tolerations ??= ['not-ready', 'unreachable'].map((condition) => ({
    key: `node.kubernetes.io/${condition}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  }))
  if (!previous) pod.status = { phase: 'Pending', qosClass: qosClass(spec) }
}

/** Of a Deployment, ReplicaSet, StatefulSet or Job. */
export function podTemplateDefaults(workload: Dict): void {
  const spec = ensureDict(workload, 'spec')
  const template = ensureDict(spec, 'template')
  podSpecDefaults(ensureDict(template, 'spec'))
}

function podSpecDefaults(spec: Dict): void {
  spec.restartPolicy ??= 'Always'
  spec.terminationGracePeriodSeconds ??= 30
  spec.dnsPolicy ??= 'ClusterFirst'
  spec.securityContext ??= {}
  spec.schedulerName ??= 'default-scheduler'
  if (spec.serviceAccountName === undefined) {
    if (spec.serviceAccount !== undefined) spec.serviceAccountName = spec.serviceAccount
  } else spec.serviceAccount = spec.serviceAccountName
  for (const container of containersOf(spec)) containerDefaults(container)
  for (const volume of listOf(spec.volumes) as Dict[]) volumeDefaults(volume)
}

export function containersOf(spec: Dict): Dict[] {
  return [...listOf(spec.initContainers), ...listOf(spec.containers)].filter(isDict)
}

function containerDefaults(container: Dict): void {
  container.resources ??= {}
  container.terminationMessagePath ??= '/dev/termination-log'
  container.terminationMessagePolicy ??= 'File'
  const image = String(container.image ?? '')
  const tag = image.includes('@') ? 'digest' : /:([^/:]+)$/.exec(image)?.[1]
  container.imagePullPolicy ??= tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent'
  for (const port of listOf(container.ports) as Dict[]) port.protocol ??= 'TCP'
  for (const name of ['readinessProbe', 'livenessProbe', 'startupProbe']) {
    const probe = container[name]
    if (isDict(probe)) probeDefaults(probe)
  }
  for (const variable of listOf(container.env)) {
    const fieldRef = dictOf(dictOf(variable).valueFrom).fieldRef
    if (isDict(fieldRef)) fieldRef.apiVersion ??= 'v1'
  }
}

function probeDefaults(probe: Dict): void {
  probe.timeoutSeconds ??= 1
  probe.periodSeconds ??= 10
  probe.successThreshold ??= 1
  probe.failureThreshold ??= 3
  if (isDict(probe.httpGet)) {
    probe.httpGet.path ??= '/'
    probe.httpGet.scheme ??= 'HTTP'
  }
}

function volumeDefaults(volume: Dict): void {
  for (const kind of ['configMap', 'secret', 'projected', 'downwardAPI']) {
    const source = volume[kind]
    if (isDict(source)) source.defaultMode ??= 420
  }
  for (const source of listOf(dictOf(volume.projected).sources)) {
    const token = dictOf(source).serviceAccountToken
    if (isDict(token)) token.expirationSeconds ??= 3600
  }
}

function qosClass(spec: Dict): string {
  const requested = containersOf(spec).some((container) => Object.keys(dictOf(container.resources)).length > 0)
  return requested ? 'Burstable' : 'BestEffort'
}

const mutable = new Set([
  'activeDeadlineSeconds',
  'tolerations',
  'terminationGracePeriodSeconds',
  'ephemeralContainers',
])

export function validatePod(pod: Dict, previous: Dict | undefined): FieldError[] {
  const spec = dictOf(pod.spec)
  const errors = validatePodSpec(spec, 'spec')
  if (!previous) return errors
  const before = dictOf(previous.spec)
  for (const field of new Set([...Object.keys(spec), ...Object.keys(before)])) {
    if (mutable.has(field) || sameJson(withoutImages(spec[field]), withoutImages(before[field]))) continue
    errors.push({
      reason: 'FieldValueForbidden',
      field: 'spec',
      message:
        'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    })
    break
  }
  return errors
}

function withoutImages(value: unknown): unknown {
  return Array.isArray(value) ? value.map((item) => (isDict(item) ? { ...item, image: undefined } : item)) : value
}

export function validatePodSpec(spec: Dict, at: string): FieldError[] {
  const errors: FieldError[] = []
  const required = (field: string) => errors.push({ reason: 'FieldValueRequired', field, message: 'Required value' })
  const containers = listOf(spec.containers) as Dict[]
  if (containers.length === 0) required(`${at}.containers`)
  for (const [index, container] of containers.entries()) {
    if (!container.name) required(`${at}.containers[${index}].name`)
    if (!container.image) required(`${at}.containers[${index}].image`)
    for (const [mount, { name }] of (listOf(container.volumeMounts) as Dict[]).entries()) {
      if ((listOf(spec.volumes) as Dict[]).some((volume) => volume.name === name)) continue
      const field = `${at}.containers[${index}].volumeMounts[${mount}].name`
      errors.push({ reason: 'FieldValueNotFound', field, message: `Not found: ${JSON.stringify(name)}` })
    }
  }
  return errors
}
