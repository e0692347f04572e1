/** What the rest of the house sees of Kubernetes. Objects are plain JSON; only the fields that we use are typed. */

export interface ResourceType {
  /** '' for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: unknown[]
}

export interface KubeObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMeta
}

export interface ListOptions {
  /** All namespaces where undefined. */
  namespace?: string | undefined
  labelSelector?: string
  fieldSelector?: string
}

export interface PatchOptions {
  type: 'merge' | 'json' | 'apply'
  /** Default 'intercept'. */
  fieldManager?: string
  /** Apply only. */
  force?: boolean
  subresource?: 'status' | 'scale'
  dryRun?: boolean
}

/** Current state of a list, kept fresh by a watch that never dies (relist, back-off with jitter, bookmarks, watchdog). */
export interface Informer<T extends KubeObject> {
  /** Resolves with the first complete list; rejects with a KubeError that no retry can mend (403, 404), or on abort. */
  readonly synced: Promise<void>
  /** True while the last list or watch succeeded; false while the API server does not answer. */
  readonly fresh: boolean
  list(): readonly T[]
  get(namespace: string | undefined, name: string): T | undefined
  /** Called after each change, once an event (and once after each relist). Returns the function that unsubscribes. */
  onChange(listener: () => void): () => void
  stop(): void
}

/** A client of one cluster as one user. Every method rejects with KubeError. `signal` aborts. */
export interface Kube {
  /** Address of the API server, as in the kubeconfig. */
  readonly server: string
  /** Name of the kubeconfig's context; 'in-cluster' in a pod. */
  readonly context: string
  /** The namespace of the context (or of the option, or of the pod); 'default' where none is named. */
  readonly namespace: string
  get<T extends KubeObject>(type: ResourceType, namespace: string | undefined, name: string): Promise<T>
  /** undefined instead of 404. */
  find<T extends KubeObject>(type: ResourceType, namespace: string | undefined, name: string): Promise<T | undefined>
  list<T extends KubeObject>(type: ResourceType, options?: ListOptions): Promise<T[]>
  create<T extends KubeObject>(type: ResourceType, object: T, options?: { dryRun?: boolean }): Promise<T>
  patch<T extends KubeObject>(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    body: unknown,
    options: PatchOptions,
  ): Promise<T>
  /** Resolves also where it is gone already. */
  delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options?: { uid?: string; gracePeriodSeconds?: number; propagation?: 'Background' | 'Foreground' },
  ): Promise<void>
  inform<T extends KubeObject>(type: ResourceType, options?: ListOptions): Informer<T>
  /** Any path of the API server, JSON in and out. */
  request<T>(method: string, path: string, body?: unknown): Promise<T>
  /** SelfSubjectReview. */
  whoAmI(): Promise<{ username: string; groups: string[] }>
  /** SelfSubjectAccessReview. */
  may(access: {
    verb: string
    group?: string
    resource: string
    subresource?: string
    namespace?: string
    name?: string
  }): Promise<boolean>
  /**
   * What a WebSocket to a path of the API server needs: the URL (wss: or ws:), headers with fresh credentials, and the
   * TLS and proxy settings as options for `ws`.
   */
  webSocketTarget(path: string): Promise<{ url: string; headers: Record<string, string>; options: object }>
  /** One TCP connection to a port of a pod through the portforward subresource (WebSocket, v4.channel or SPDY-free v5). */
  portForward(namespace: string, pod: string, port: number): Promise<import('node:stream').Duplex>
  /** Runs a command in a container of a pod and waits for its end. Rejects with 'exec-failed' where it cannot start. */
  execCommand(namespace: string, pod: string, command: ContainerCommand): Promise<CommandResult>
}

export interface ContainerCommand {
  readonly container: string
  /** The program and its arguments; no shell. */
  readonly command: readonly string[]
  /**
   * Takes what the command says on stdout, as it comes; then it may be of any length, and a command counts as hung only
   * when it says nothing. What this throws ends the command, and is what `execCommand` rejects with.
   */
  readonly onStdout?: (chunk: Buffer) => void
}

export interface CommandResult {
  readonly code: number
  /** Empty with `onStdout`. */
  readonly stdout: Buffer
  readonly stderr: string
}
