/**
 * Kubernetes, for both sides: a client of one cluster as one user, and informers that never die. Configuration and login
 * as kubectl has them (config/), proxies and TLS (net/), requests (transport, client), lists and watches (informer).
 * Nothing about intercepts lives here. @kubernetes/client-node is only the tests' second opinion: bundled it is 0.3 MB
 * and 20 MiB of memory, and it stops at what kubectl bears (a name in two files, a missing file, `tokenFile`).
 */

export { type ConnectOptions, connectKube } from './connect.ts'
export { type ConnectInClusterOptions, connectInCluster } from './connect-in-cluster.ts'
export { isKubeError, KubeError, type KubeErrorCode } from './error.ts'
