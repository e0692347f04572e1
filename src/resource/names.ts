import { createHash } from 'node:crypto'

/** Names, labels and annotations that both sides and the chart agree on. Part of the API: never rename. */

export const GROUP = 'intercept.dev'
export const VERSION = 'v1alpha1'
export const API_VERSION = `${GROUP}/${VERSION}`

/** Who writes, in managedFields and in `endpointslice.kubernetes.io/managed-by`. */
export const FIELD_MANAGER = 'intercept'
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
export const MANAGED_BY = 'intercept.dev'

/** Key added to the selector of a Service that is taken over; no pod may ever carry it with this value. */
export const TAKEN_OVER_KEY = 'intercept.dev/taken-over'
export const TAKEN_OVER_VALUE = 'by-intercept-so-that-no-pod-matches'

/** Annotation of a Service that is taken over: its own selector, as JSON. */
export const ORIGINAL_SELECTOR_ANNOTATION = 'intercept.dev/original-selector'

/** Label of an EndpointSlice of ours: the name of the proxy pod that published it. */
export const REPLICA_LABEL = 'intercept.dev/replica'
/** Annotation of such an EndpointSlice: the uid of that proxy pod. */
export const REPLICA_UID_ANNOTATION = 'intercept.dev/replica-uid'
/** Label of a shadow Service and of our EndpointSlices: the Service that they stand for. */
export const SERVICE_LABEL = 'intercept.dev/service'

export const DEFAULT_SYSTEM_NAMESPACE = 'intercept-system'

export const PROXY_NAME = 'intercept-proxy'
/** Of the StatefulSet of the proxy pods; pods are `<name>-<ordinal>`. */
export const PROXY_STATEFULSET = PROXY_NAME
export const APP_NAME_LABEL = 'app.kubernetes.io/name'
export const PROXY_LABELS: Readonly<Record<string, string>> = { [APP_NAME_LABEL]: PROXY_NAME }

export const GATEWAY_SERVICE = 'intercept-gateway'
/** The name in the gateways' certificates, of which all replicas have one. */
export const gatewayServerName = (systemNamespace: string): string => `${GATEWAY_SERVICE}.${systemNamespace}.svc`
export const GATEWAY_PORT = 8443
export const GATEWAY_PORT_NAME = 'gateway'
/** Path under which a carrier is upgraded. Parameters never go into the query: the API server's proxy drops it. */
export const TUNNEL_PATH = '/tunnel/v1'
/** Whom a carrier that comes past the API server is for: the proxy pod, and the fingerprint of the installation's authority. */
export const FOR_POD_HEADER = 'intercept-for-pod'
export const FOR_AUTHORITY_HEADER = 'intercept-for-authority'

/** Of preview host names, where an installation has them. */
export const PREVIEW_SERVICE = 'intercept-preview'
export const PREVIEW_PORT = 8081
export const PREVIEW_PORT_NAME = 'preview'

/** ConfigMap (public part) and Secret (with the key) of the authority that signs the gateway's certificate. */
export const CA_NAME = 'intercept-ca'
export const CA_CERT_KEY = 'ca.crt'
export const CA_PRIVATE_KEY = 'ca.key'
/** In that ConfigMap: where laptops reach the gateways past the API server, if the installation has such an address. */
export const GATEWAY_ADDRESS_KEY = 'gateway-address'

/** The verb on `intercepts` that lets one delete another's. */
export const REVOKE_VERB = 'revoke'
/** The verb on `intercepts` that lets one intercept a whole port where that is switched off for everybody. */
export const INTERCEPT_WHOLE_VERB = 'intercept-whole'

const ORIGIN_SUFFIX = '-intercept-origin'
const maxNameLength = 63

/**
 * The shadow Service that keeps the origin's endpoints of `service`, in the same namespace. At most 63 characters: a
 * longer name is cut and told apart by a hash.
 */
export function originServiceName(service: string): string {
  const name = `${service}${ORIGIN_SUFFIX}`
  if (name.length <= maxNameLength) return name
  const hash = createHash('sha256').update(service).digest('hex').slice(0, 8)
  return `${service.slice(0, maxNameLength - ORIGIN_SUFFIX.length - hash.length - 1)}-${hash}${ORIGIN_SUFFIX}`
}
