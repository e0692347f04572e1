{{- /* Written by `npm run chart` from the sources; do not edit. */ -}}
{{- define "intercept.bootstrap" -}}
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
writeFileSync('/tmp/proxy-pod.mjs', gunzipSync(readFileSync('/bundle/proxy-pod.js.gz')))
await import('/tmp/proxy-pod.mjs')
{{- end -}}
