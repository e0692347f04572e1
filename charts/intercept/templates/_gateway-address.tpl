{{- /* Written by `npm run chart` from the sources; do not edit. */ -}}
{{- define "intercept.gatewayAddressPattern" -}}
^wss://(?:(?:[A-Za-z0-9-]|\{(?:pod|ordinal)\})+(?:\.(?:[A-Za-z0-9-]|\{(?:pod|ordinal)\})+)*|\[[0-9A-Fa-f:.]+\])(?::(?:(?:(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3})|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])|\{(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3})\+ordinal\}))?(?:/(?:[A-Za-z0-9._~-]|\{(?:pod|ordinal)\})+)*/?$
{{- end -}}
