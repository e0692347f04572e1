/**
 * The embedded cluster: the part of Kubernetes that intercept uses, in this process, for the demo and the tests. The API
 * server is real HTTPS, pods are processes of this machine, Services listen on loopback addresses. It is a double: where
 * it differs from a real cluster it is wrong.
 *
 * api/ answers requests, admission/ judges them, store/ and apply/ keep and merge objects, resources/ says which kinds
 * there are, custom/ serves CustomResourceDefinitions, controllers/ do what the controller manager does, kubelet/ runs
 * pods, network/ is kube-proxy and DNS. Nothing here knows of intercepts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeObject } from '../../../src/kube/types.ts'
import { NamespaceLifecycle } from './admission/namespace-lifecycle.ts'
import { ServiceAccountAdmission } from './admission/service-account.ts'
import { ServiceAddresses } from './admission/service-addresses.ts'
import { ValidatingPolicies } from './admission/validating-policies.ts'
import { ApiServer } from './api/api-server.ts'
import { Authenticator, tokenAudience } from './api/authenticator.ts'
import { Authorizer } from './api/authorizer.ts'
import { Deleter } from './api/deletion.ts'
import { Writer } from './api/writer.ts'
import { bootstrap, nodeName } from './bootstrap.ts'
import { selfSignedCertificate } from './certificates.ts'
import { Control } from './controllers/control.ts'
import { Controllers } from './controllers/controllers.ts'
import { CustomResources } from './custom/custom-resources.ts'
import { kubeconfig } from './kubeconfig.ts'
import { Kubelet } from './kubelet/kubelet.ts'
import type { Pod } from './kubelet/pod.ts'
import { podPreload } from './kubelet/pod-preload.ts'
import { Supervisor } from './kubelet/supervisor.ts'
import { planAddresses } from './network/loopback.ts'
import { NameFile } from './network/name-file.ts'
import { type Address, PodPorts } from './network/reach.ts'
import { ServiceProxy } from './network/service-proxy.ts'
import { Catalogue } from './resources/catalogue.ts'
import { Store } from './store/store.ts'

export interface EmbeddedClusterOptions {
  /** Folder for kubeconfigs and pods, removed by stop with all that is in it. Default: a new temporary one. */
  readonly dir?: string
  /** Everything on 127.0.0.1, as on machines that have no other loopback address (macOS). Default: where it must be. */
  readonly singleAddress?: boolean
  /** First wait of a container that crashes again; Kubernetes waits 10 s. Default 1,000. */
  readonly backOffMs?: number
  /** What the cluster's own components fail at; a failure is a bug here. Default: written to stderr. */
  readonly onError?: (what: string, error: unknown) => void
}

export interface EmbeddedCluster {
  /** Of the administrator, `kubernetes-admin`. */
  readonly kubeconfigPath: string
  /** https://127.0.0.1:PORT */
  readonly server: string
  readonly singleAddress: boolean
  /** All objects, for tests that look behind the API. Not to be changed. */
  readonly store: Store
  /** Where a Service's port (number or name; default the first) is reached from this machine. Waits until it listens. */
  serviceAddress(namespace: string, service: string, port?: number | string): Promise<Address>
  /** Where a pod's port is reached from this machine. */
  podAddress(namespace: string, pod: string, port: number | string): Address
  /** A user with no rights but those that bindings give; returns the path of the kubeconfig. */
  addUser(name: string, options?: { groups?: readonly string[]; namespace?: string }): string
  /** Kills a container's process (all containers by default), as a crash would; the pod restarts it. */
  crashPod(namespace: string, pod: string, options?: { signal?: NodeJS.Signals; container?: string }): void
  /** Process ids of the pod's containers. */
  podPids(namespace: string, pod: string): number[]
  /** Kills the pod's processes and takes the object away at once, as losing the node would. */
  killPod(namespace: string, pod: string): void
  /** Resolves once the condition holds for the objects; it is asked again after every change. */
  until<T extends KubeObject>(resource: string, condition: (objects: T[]) => boolean, timeoutMs?: number): Promise<void>
  /**
   * The API server is gone. 'refuse' (default): as if killed, connections end, new ones are refused. 'stall': as if
   * stopped, connections stay and nothing is answered. Pods, Services and controllers go on.
   */
  pauseApi(how?: 'refuse' | 'stall'): Promise<void>
  resumeApi(): Promise<void>
  /** Forgets past events: watches that start before now are answered with 410. */
  compact(): void
  /** Ends every process, closes every listener, removes the folder. */
  stop(): Promise<void>
}

const serverNames = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]

export async function startEmbeddedCluster(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
  const onError = options.onError ?? reportError
  const plan = await planAddresses(options.singleAddress ?? false)
  // The first Service there is is that of the API server.
  const [apiServerAddress = '127.0.0.1'] = plan.serviceAddresses()
  const certificate = selfSignedCertificate(serverNames, ['127.0.0.1', apiServerAddress])
  const folder = options.dir ?? mkdtempSync(join(tmpdir(), 'intercept-cluster-'))
  const supervisor = new Supervisor(folder)

  const store = new Store()
  const catalogue = new Catalogue()
  const podPorts = new PodPorts()
  const authenticator = new Authenticator(store)
  const authorizer = new Authorizer(store)
  const plugins = [
    new NamespaceLifecycle(store),
    new ServiceAccountAdmission(store),
    new ServiceAddresses(store, plan),
    new ValidatingPolicies(store, authorizer),
  ]
  const writer = new Writer(store, plugins)
  const deleter = new Deleter(store, plugins)
  const control = new Control(store, catalogue, writer, deleter)

  const api = new ApiServer({
    store,
    catalogue,
    writer,
    deleter,
    authenticator,
    authorizer,
    podPorts,
    podLogs: { logOf: (pod, container, previous) => kubelet.logOf(pod, container, previous) },
    podCommands: { commandIn: (pod, container, command) => kubelet.worker(pod)?.commandIn(container, command) },
    tls: certificate,
  })
  await api.listen()
  const apiServer = { host: '127.0.0.1', port: api.port }

  const custom = new CustomResources(control, catalogue)
  const controllers = new Controllers({ control, catalogue, podPorts, ca: certificate.cert, onError })
  const serviceProxy = new ServiceProxy(store, plan)
  const network = join(folder, 'network.json')
  const preload = join(folder, 'pod-preload.cjs')
  writeFileSync(preload, podPreload)
  const names = new NameFile(network, store, serviceProxy)
  const kubelet = new Kubelet(
    nodeName,
    control,
    {
      plan,
      podPorts,
      supervisor,
      folder,
      apiServer,
      backOffMs: options.backOffMs ?? 1_000,
      preload,
      network,
      issueToken: (pod, seconds, audience) => tokenFor(store, authenticator, pod, seconds, audience),
      serviceAddress: (namespace, service, port) => serviceProxy.addressOf(namespace, service, port),
      servicesReady: async () => {
        await serviceProxy.settled()
        names.flush()
      },
    },
    onError,
  )
  bootstrap(control, plan.node, apiServer)

  const writeKubeconfig = (user: string, groups: readonly string[], namespace?: string) => {
    const path = join(folder, `${user.replaceAll(/[^\w.-]/g, '_')}.kubeconfig`)
    writeFileSync(path, kubeconfig(api.url, certificate.cert, user, authenticator.addUser(user, groups), namespace), {
      mode: 0o600,
    })
    return path
  }
  const podOf = (namespace: string, name: string): Pod => {
    const pod = store.get<Pod>('pods', namespace, name)
    if (!pod) throw new Error(`no pod ${namespace}/${name}`)
    return pod
  }

  let paused: 'refuse' | 'stall' | undefined
  let stopped: Promise<void> | undefined
  const stop = async () => {
    kubelet.close()
    controllers.close()
    custom.close()
    names.close()
    serviceProxy.close()
    await Promise.all([api.close(), supervisor.close(), plan.close()])
    rmSync(folder, { recursive: true, force: true })
  }

  return {
    kubeconfigPath: writeKubeconfig('kubernetes-admin', ['system:masters']),
    server: api.url,
    singleAddress: plan.single,
    store,
    async serviceAddress(namespace, service, port) {
      const address = await serviceProxy.reach(namespace, service, port)
      if (!address)
        throw new Error(
          `no Service ${namespace}/${service} with an address${port === undefined ? '' : ` and port ${port}`}`,
        )
      return address
    },
    podAddress(namespace, name, port) {
      const address = podPorts.reach(podOf(namespace, name), port)
      if (!address) throw new Error(`pod ${namespace}/${name} has no address or no port ${port}`)
      return address
    },
    addUser: (name, { groups = [], namespace } = {}) => writeKubeconfig(name, groups, namespace),
    crashPod: (namespace, name, { signal = 'SIGKILL', container } = {}) =>
      kubelet.worker(podOf(namespace, name))?.crash(signal, container),
    podPids: (namespace, name) => kubelet.worker(podOf(namespace, name))?.pids() ?? [],
    killPod: (namespace, name) => control.removePod(podOf(namespace, name)),
    until: (resource, condition, timeoutMs) => until(store, resource, condition, timeoutMs),
    pauseApi: (how = 'refuse') => {
      paused = how
      return how === 'stall' ? api.stall() : api.close()
    },
    resumeApi: async () => {
      if (paused === 'stall') await api.unstall()
      if (paused === 'refuse') await api.listen()
      paused = undefined
    },
    compact: () => store.compact(),
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

/** It lasts at least a day, for nobody renews it. */
function tokenFor(store: Store, authenticator: Authenticator, pod: Pod, asked: number, audience?: string): string {
  const { namespace = '', name, uid = '' } = pod.metadata
  const account = pod.spec.serviceAccountName ?? 'default'
  const accountUid = store.get('serviceaccounts', namespace, account)?.metadata.uid ?? ''
  const seconds = Math.max(asked, 86_400)
  const audiences = audience === undefined ? [tokenAudience] : [audience]
  const owner = { name: account, uid: accountUid }
  return authenticator.issue(namespace, owner, { seconds, audiences, pod: { name, uid } }).token
}

function until<T extends KubeObject>(
  store: Store,
  resource: string,
  condition: (objects: T[]) => boolean,
  timeoutMs = 20_000,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      forget()
      const seen = JSON.stringify(
        store.list(resource).map(({ metadata: { namespace, name }, ...rest }) => ({ namespace, name, ...rest })),
      )
      reject(new Error(`still not so after ${timeoutMs} ms: ${resource} are ${seen.slice(0, 4_000)}`))
    }, timeoutMs)
    const check = () => {
      if (!condition(store.list<T>(resource))) return
      clearTimeout(timer)
      forget()
      resolve()
    }
    const forget = store.onEvent((event) => {
      if (event.resource === resource) check()
    })
    check()
  })
}

function reportError(what: string, error: unknown): void {
  process.stderr.write(`embedded cluster: ${what}: ${error instanceof Error ? error.stack : String(error)}\n`)
}
