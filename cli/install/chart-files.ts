import { stringify } from 'yaml'
import type { KubeObject } from '../../src/kube/types.ts'
import { admissionObjects } from '../../src/resource/admission.ts'
import { connectionCrd, interceptCrd } from '../../src/resource/crd.ts'
import { gatewayAddressPattern } from '../../src/resource/gateway-address.ts'
import { BOOTSTRAP } from './container.ts'

const notice = 'Written by `npm run chart` from the sources; do not edit.'
const namespaceMark = 'RELEASE-NAMESPACE'
const wholeServiceMark = 'WHOLE-SERVICE-INTERCEPTS'

/** The generated part of the chart: path below charts/intercept -> content. */
export function chartFiles(version: string): Record<string, string> {
  return {
    'Chart.yaml': chartYaml(version),
    'templates/crd.yaml': guarded('.Values.crd.create', [interceptCrd(), connectionCrd()]),
    'templates/admission-policy.yaml': guarded(
      '.Values.admissionPolicy.create',
      admissionObjects(namespaceMark, wholeServiceMark),
    ),
    'templates/_bootstrap.tpl': definition('intercept.bootstrap', BOOTSTRAP),
    'templates/_gateway-address.tpl': definition('intercept.gatewayAddressPattern', gatewayAddressPattern),
  }
}

function chartYaml(version: string): string {
  const chart = {
    apiVersion: 'v2',
    name: 'intercept',
    description: 'Answer a Kubernetes Service from your laptop, and give it back without losing a request',
    type: 'application',
    version,
    appVersion: version,
    // ValidatingAdmissionPolicy is stable since then.
    kubeVersion: '>=1.30.0-0',
  }
  return `# ${notice}\n${stringify(chart, { lineWidth: 0 })}`
}

function definition(name: string, text: string): string {
  return `{{- /* ${notice} */ -}}\n{{- define "${name}" -}}\n${text}\n{{- end -}}\n`
}

function guarded(condition: string, objects: KubeObject[]): string {
  return [`{{- /* ${notice} */ -}}`, `{{- if ${condition} }}`, ...objects.map(template), '{{- end }}', ''].join('\n')
}

function template({ apiVersion, kind, metadata, ...rest }: KubeObject): string {
  const body = stringify(rest, { lineWidth: 0, aliasDuplicateObjects: false })
  if (body.includes('{{')) throw new Error(`${kind} ${metadata.name} has template brackets in it`)
  return [
    '---',
    `apiVersion: ${apiVersion}`,
    `kind: ${kind}`,
    'metadata:',
    `  name: ${metadata.name}`,
    '  {{- include "intercept.labels" . | nindent 2 }}',
    body
      .trimEnd()
      .replaceAll(namespaceMark, '{{ .Release.Namespace }}')
      .replaceAll(wholeServiceMark, '{{ .Values.wholeServiceIntercepts | quote }}'),
  ].join('\n')
}
