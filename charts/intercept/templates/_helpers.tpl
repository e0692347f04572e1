{{- /* Labels and annotations of every object: the lines under `metadata`. */ -}}
{{- define "intercept.labels" -}}
labels:
  {{- include "intercept.labelList" . | nindent 2 }}
{{- with .Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "intercept.labelList" -}}
app.kubernetes.io/name: intercept-proxy
app.kubernetes.io/part-of: intercept
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "intercept.proxySubject" -}}
kind: ServiceAccount
name: intercept-proxy
namespace: {{ .Release.Namespace }}
{{- end -}}

{{- /* What the proxy may do where it intercepts. */ -}}
{{- define "intercept.interceptingRules" -}}
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, update, delete]
# Where OwnerReferencesPermissionEnforcement is on, an owner may only be named by who could finalize it.
- apiGroups: [""]
  resources: [services/finalizers]
  verbs: [update]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch, create, patch, update, delete]
# OpenShift asks for these before it accepts endpoints with addresses of pods.
- apiGroups: [""]
  resources: [endpoints/restricted]
  verbs: [create]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices/restricted]
  verbs: [create]
# An Intercept may send requests to a pod.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [intercept.dev]
  resources: [intercepts]
  verbs: [get, list, watch, patch, update, delete]
- apiGroups: [intercept.dev]
  resources: [intercepts/status]
  verbs: [get, patch, update]
- apiGroups: [intercept.dev]
  resources: [connections]
  verbs: [get, list, watch, delete]
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.tlsSecrets }}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}
{{- end -}}

{{- define "intercept.bundle" -}}
{{- $bundle := .Files.Get "files/proxy-pod.js.gz" -}}
{{- if not $bundle }}{{ fail "files/proxy-pod.js.gz is not there: run `npm run build` first" }}{{ end -}}
{{- $bundle | b64enc -}}
{{- end -}}

{{- /* The container of the proxy pods, and with arguments that of the hook. */ -}}
{{- define "intercept.container" -}}
image: {{ .Values.image | quote }}
imagePullPolicy: {{ .Values.imagePullPolicy }}
command:
  - node
  - --input-type=module
  - -e
  - {{ include "intercept.bootstrap" . | quote }}
env:
  {{- range $name, $path := dict "POD_NAME" "metadata.name" "POD_NAMESPACE" "metadata.namespace" "POD_UID" "metadata.uid" "POD_IP" "status.podIP" "POD_IPS" "status.podIPs" "NODE_NAME" "spec.nodeName" }}
  - name: {{ $name }}
    valueFrom:
      fieldRef:
        fieldPath: {{ $path }}
  {{- end }}
  - name: INTERCEPT_NAMESPACES
    value: {{ join "," .Values.namespaces | quote }}
  - name: INTERCEPT_REPLICAS
    value: {{ .Values.replicas | quote }}
  - name: LOG_LEVEL
    value: {{ .Values.logLevel }}
  {{- with .Values.forwardedHeaders }}
  - name: INTERCEPT_FORWARDED_HEADERS
    value: {{ join "," . | quote }}
  {{- end }}
  {{- with .Values.outbound.allow }}
  - name: INTERCEPT_OUTBOUND_ALLOW
    value: {{ join "," . | quote }}
  {{- end }}
  {{- with .Values.outbound.deny }}
  - name: INTERCEPT_OUTBOUND_DENY
    value: {{ join "," . | quote }}
  {{- end }}
  {{- with .Values.gateway.address }}
  - name: INTERCEPT_GATEWAY_ADDRESS
    value: {{ . | quote }}
  {{- end }}
  {{- with .Values.preview }}
  {{- if .enabled }}
  - name: INTERCEPT_PREVIEW_DOMAIN
    value: {{ .domain | quote }}
  - name: INTERCEPT_PREVIEW_SERVICE
    value: {{ printf "%s/%s:%d" .namespace .service (int .port) | quote }}
  {{- with .host }}
  - name: INTERCEPT_PREVIEW_HOST
    value: {{ . | quote }}
  {{- end }}
  {{- end }}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: bundle
    mountPath: /bundle
    readOnly: true
  - name: tmp
    mountPath: /tmp
{{- end -}}

{{- /* What the pods of the proxy and of the hook share. Meets the Pod Security Standard "restricted". */ -}}
{{- define "intercept.pod" -}}
serviceAccountName: intercept-proxy
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile:
    type: RuntimeDefault
  # Listeners of a headless Service are on the Service's own port, which may be 80. A safe sysctl, of this pod only.
  sysctls:
    - name: net.ipv4.ip_unprivileged_port_start
      value: "0"
volumes:
  - name: bundle
    configMap:
      name: intercept-proxy
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
