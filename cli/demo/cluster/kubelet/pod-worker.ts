import { mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { messageOf } from '../../../../src/errors.ts'
import { isBindable } from '../network/bindable.ts'
import { freePorts } from '../network/free-port.ts'
import type { AddressPlan } from '../network/loopback.ts'
import { type Address, containerPort, type PodPorts } from '../network/reach.ts'
import type { Store } from '../store/store.ts'
import { timestamp } from '../timestamp.ts'
import { ContainerRun } from './container-run.ts'
import { environmentOf, expand } from './environment.ts'
import { commandOf } from './image.ts'
import { Mounts } from './mounts.ts'
import { NotReadyError } from './not-ready-error.ts'
import type { Container, Pod, PodStatus } from './pod.ts'
import { podStatusOf } from './pod-status.ts'
import { httpGet } from './probe.ts'
import type { ContainerProcess, Supervisor } from './supervisor.ts'
import { makeSubPaths, removeVolumes, showsObject, writeVolumes } from './volumes.ts'

export interface PodWorkerContext {
  readonly store: Store
  readonly plan: AddressPlan
  readonly podPorts: PodPorts
  readonly supervisor: Supervisor
  /** The cluster's folder. */
  readonly folder: string
  readonly apiServer: Address
  readonly backOffMs: number
  /** The preload and the file of names, for Node processes. */
  readonly preload: string
  readonly network: string
  issueToken(pod: Pod, seconds: number, audience: string | undefined): string
  serviceAddress(namespace: string, service: string, port: number): Address | undefined
  /** Resolves when all Services that exist now are reached. */
  servicesReady(): Promise<void>
  writeStatus(pod: Pod, status: PodStatus): void
  recordEvent(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** Runs one pod from its start to its end. */
export class PodWorker {
  readonly pod: Pod
  readonly #context: PodWorkerContext
  readonly #folder: string
  readonly #containers: ContainerRun[] = []
  readonly #inits: ContainerRun[] = []
  #volumes = new Map<string, string>()
  #ports = new Map<number, number>()
  #address = ''
  #stopping: Promise<void> | undefined
  readonly #startTime = timestamp()
  #status: PodStatus | undefined

  constructor(pod: Pod, context: PodWorkerContext) {
    this.pod = pod
    this.#context = context
    this.#folder = join(context.folder, 'pods', pod.metadata.uid ?? '')
  }

  /** Gives the pod an address and starts its containers, init containers first. */
  async start(): Promise<void> {
    const { plan, podPorts } = this.#context
    const { spec, metadata } = this.pod
    this.#address = plan.takePod()
    mkdirSync(join(this.#folder, 'root'), { recursive: true })
    this.#ports = await this.#mapPorts(plan.single)
    podPorts.map(metadata.uid ?? '', this.#ports)
    await this.#context.servicesReady()
    if (this.#stopping) return
    for (const container of spec.initContainers ?? []) this.#inits.push(this.#run(container, true))
    for (const container of spec.containers) this.#containers.push(this.#run(container, false))
    this.#report()
    this.#proceed()
  }

  /** ConfigMaps or Secrets changed: writes volumes again, and starts what waited for them. */
  refresh(): void {
    if (this.#stopping) return
    if (this.#volumes.size > 0 && this.pod.spec.volumes?.some(showsObject)) this.#remount()
    for (const run of [...this.#inits, ...this.#containers]) if (run.blocked && this.#mayStart(run)) run.start()
  }

  /** Ends all containers within the grace; resolves when they are gone and the pod's folder is removed. */
  stop(graceSeconds: number): Promise<void> {
    this.#stopping ??= this.#stop(graceSeconds)
    return this.#stopping
  }

  /** Kills processes without ending the pod, as a crash would; all containers where `container` is undefined. */
  crash(signal: NodeJS.Signals, container?: string): void {
    for (const [index, run] of this.#containers.entries()) {
      if (container === undefined || this.pod.spec.containers[index]?.name === container) run.kill(signal)
    }
  }

  /** SIGKILL now, also during a graceful stop. */
  kill(): void {
    for (const run of [...this.#inits, ...this.#containers]) run.kill('SIGKILL')
  }

  /** The cluster ends; the supervisor ends the processes. */
  abandon(): void {
    this.#stopping ??= Promise.resolve()
    for (const run of [...this.#inits, ...this.#containers]) run.abandon()
  }

  pids(): number[] {
    const ids = this.#containers.map((run) => run.supervisorId)
    return ids
      .map((id) => (id === undefined ? undefined : this.#context.supervisor.pidOf(id)))
      .filter((pid) => pid !== undefined)
  }

  logOf(container: string | undefined, previous: boolean): { file: string; running: () => boolean } | undefined {
    const { containers, initContainers = [] } = this.pod.spec
    const name = container ?? containers[0]?.name
    const index = containers.findIndex((each) => each.name === name)
    const run =
      index >= 0 ? this.#containers[index] : this.#inits[initContainers.findIndex((each) => each.name === name)]
    const file = run?.logFile(previous)
    return run && file !== undefined ? { file, running: () => run.running } : undefined
  }

  /** How a command is started in a container (default: the first), with the environment that it has. */
  commandIn(name: string | undefined, command: string[]): Omit<ContainerProcess, 'log'> | undefined {
    const { containers } = this.pod.spec
    const index = name === undefined ? 0 : containers.findIndex((each) => each.name === name)
    const container = containers[index]
    const env = this.#containers[index]?.environment
    if (!container || !env || !this.#containers[index]?.running) return undefined
    const mounts = new Mounts(container, this.#volumes, env)
    const words = command.map((word) => mounts.rewrite(word))
    return { ...commandOf({ ...container, command: words, args: [] }), env, cwd: join(this.#folder, 'root') }
  }

  #proceed(): void {
    for (const init of this.#inits) {
      if (init.exitCode === 0) continue
      if (!init.running && init.exitCode === undefined && init.blocked) init.start()
      return
    }
    for (const run of this.#containers) if (!run.running && run.blocked) run.start()
  }

  #mayStart(run: ContainerRun): boolean {
    const index = this.#inits.indexOf(run)
    return this.#inits.slice(0, index < 0 ? undefined : index).every((init) => init.exitCode === 0)
  }

  #run(container: Container, init: boolean): ContainerRun {
    const { restartPolicy } = this.pod.spec
    return new ContainerRun({
      container,
      supervisor: this.#context.supervisor,
      logs: join(this.#folder, 'logs', container.name),
      backOffMs: this.#context.backOffMs,
      prepare: () => this.#prepare(container),
      reach: (port) => this.#reach(port),
      restarts: ({ code }) => {
        if (init || restartPolicy === 'OnFailure') return code !== 0 && restartPolicy !== 'Never'
        return restartPolicy === 'Always'
      },
      onEvent: (type, reason, message) => this.#context.recordEvent(this.pod, type, reason, message),
      onChange: () => {
        this.#report()
        if (init) this.#proceed()
      },
    })
  }

  /** Container ports that listen elsewhere: all of them with a single address, otherwise those that are not free. */
  async #mapPorts(single: boolean): Promise<Map<number, number>> {
    const declared = this.pod.spec.containers.flatMap(({ ports = [] }) => ports.map((port) => port.containerPort))
    const taken: number[] = []
    for (const port of new Set(declared)) if (single || !(await isBindable(this.#address, port))) taken.push(port)
    const free = await freePorts(this.#address, taken.length)
    return new Map(taken.map((port, index) => [port, free[index] ?? port]))
  }

  #reach(port: number | string): Address | undefined {
    const number = containerPort(this.pod, port)
    return number === undefined ? undefined : { host: this.#address, port: this.#ports.get(number) ?? number }
  }

  #mountVolumes(): void {
    const { store, plan } = this.#context
    this.#volumes = writeVolumes(this.pod, join(this.#folder, 'volumes'), {
      store,
      podIp: this.#address,
      hostIp: plan.node,
      issueToken: (pod, seconds, audience) => this.#context.issueToken(pod, seconds, audience),
    })
  }

  /** What a running pod sees stays as it is where an object has gone. */
  #remount(): void {
    try {
      this.#mountVolumes()
    } catch (error) {
      if (!(error instanceof NotReadyError)) throw error
    }
  }

  #prepare(container: Container): Omit<ContainerProcess, 'log'> {
    const { store, plan, apiServer } = this.#context
    this.#mountVolumes()
    const variables = environmentOf(this.pod, container, {
      store,
      podIp: this.#address,
      hostIp: plan.node,
      apiServer,
      addressOf: (namespace, service, port) => this.#context.serviceAddress(namespace, service, port),
    })
    const mounts = new Mounts(container, this.#volumes, variables)
    makeSubPaths(mounts.pairs().map(([, lies]) => lies))
    for (const [name, value] of Object.entries(variables)) variables[name] = mounts.rewrite(value)
    const env = this.#processEnvironment(container, variables, mounts)
    const { command, args } = commandOf({
      ...container,
      ...(container.command
        ? { command: container.command.map((each) => mounts.rewrite(expand(each, variables))) }
        : {}),
      ...(container.args ? { args: container.args.map((each) => mounts.rewrite(expand(each, variables))) } : {}),
    })
    const cwd = container.workingDir === undefined ? undefined : mounts.rewrite(container.workingDir)
    return {
      command,
      args,
      env,
      cwd: cwd === undefined || cwd === container.workingDir ? join(this.#folder, 'root') : cwd,
    }
  }

  /** What the spec says, and what stands in for an image's environment and a namespace of its own. */
  #processEnvironment(container: Container, variables: Record<string, string>, mounts: Mounts): Record<string, string> {
    const { namespace = '', name } = this.pod.metadata
    const domain = 'svc.cluster.local'
    const ports = container.ports ?? []
    const defaults: Record<string, string> = {
      PATH: [...new Set([join(process.execPath, '..'), process.env.PATH ?? '/usr/bin:/bin'])].join(delimiter),
      HOME: join(this.#folder, 'root'),
      HOSTNAME: this.pod.spec.hostname ?? name,
      TMPDIR: mounts.at('/tmp') ?? join(this.#folder, 'root'),
      HOST: this.#address,
      POD_IP: this.#address,
    }
    for (const [index, { name: portName, containerPort: port }] of ports.entries()) {
      const real = String(this.#ports.get(port) ?? port)
      if (index === 0) defaults.PORT = real
      if (portName) defaults[`PORT_${portName.toUpperCase().replaceAll('-', '_')}`] = real
    }
    const given = { ...variables }
    if (given.PORT !== undefined && this.#ports.has(Number(given.PORT))) given.PORT = defaults.PORT ?? given.PORT
    const options = [`--require=${JSON.stringify(this.#context.preload)}`, given.NODE_OPTIONS].filter(Boolean).join(' ')
    return {
      ...defaults,
      ...given,
      NODE_OPTIONS: options,
      EMBEDDED_NETWORK: this.#context.network,
      EMBEDDED_POD_IP: this.#address,
      EMBEDDED_PORTS: [...this.#ports].map(([inside, real]) => `${inside}=${real}`).join(','),
      EMBEDDED_MOUNTS: JSON.stringify(mounts.pairs()),
      EMBEDDED_SEARCH: `${namespace}.${domain},${domain},cluster.local`,
    }
  }

  #report(): void {
    if (this.#containers.length === 0) return
    const { plan } = this.#context
    this.#status = podStatusOf(this.pod, {
      previous: this.#status,
      address: this.#address,
      hostIp: plan.node,
      startTime: this.#startTime,
      inits: this.#inits,
      containers: this.#containers,
    })
    this.#context.writeStatus(this.pod, this.#status)
  }

  async #stop(graceSeconds: number): Promise<void> {
    const deadline = Date.now() + graceSeconds * 1_000
    const runs = [...this.#inits, ...this.#containers]
    await Promise.all(
      runs.map(async (run, index) => {
        const container = this.pod.spec.containers[index - this.#inits.length]
        if (run.running && graceSeconds > 0) await this.#preStop(container, deadline)
        await run.stop(Math.max(0, deadline - Date.now()))
      }),
    )
    this.#context.podPorts.forget(this.pod.metadata.uid ?? '')
    this.#context.plan.releasePod(this.#address)
    removeVolumes(this.#folder)
  }

  async #preStop(container: Container | undefined, deadline: number): Promise<void> {
    const hook = container?.lifecycle?.preStop
    const left = Math.max(0, deadline - Date.now())
    if (hook?.sleep) {
      const { seconds } = hook.sleep
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, seconds * 1_000)).unref())
    }
    if (hook?.httpGet) await httpGet(hook.httpGet, this.#reach(hook.httpGet.port), left)
    if (hook?.exec) await this.#exec(container, hook.exec.command, left)
  }

  #exec(container: Container | undefined, command: string[], limitMs: number): Promise<void> {
    if (!container) return Promise.resolve()
    return new Promise((resolve) => {
      try {
        const process = this.#prepare({ ...container, command, args: [] })
        const log = join(this.#folder, 'logs', `${container.name}-exec.log`)
        const { supervisor } = this.#context
        const id = supervisor.start({ ...process, log }, () => resolve())
        setTimeout(() => supervisor.signal(id, 'SIGKILL'), limitMs).unref()
      } catch (error) {
        this.#context.recordEvent(this.pod, 'Warning', 'FailedPreStopHook', messageOf(error))
        resolve()
      }
    })
  }
}
