import { afterAll, afterEach, beforeAll } from 'vitest'
import type { Service } from '../../../src/kube/objects.ts'
import { Caller } from './caller.ts'
import { type CliEvent, CliRun, withOptions } from './cli.ts'
import { startTestCluster, type TestCluster } from './cluster.ts'
import { type LocalApp, startLocalApp } from './local-app.ts'
import { snapshot } from './snapshot.ts'
import { until } from './until.ts'
import { deploy, expose, podsOf } from './workload.ts'

/** A cluster with a namespace in which `orders` runs in two pods and a caller in one; the laptop's `orders` beside it. */
export class Scenario {
  cluster!: TestCluster
  namespace!: string
  caller!: Caller
  local!: LocalApp
  /** The namespace before anything was intercepted. */
  before!: object
  readonly #runs: CliRun[] = []

  get kube() {
    return this.cluster.kube
  }

  get kubeconfig(): string {
    return this.cluster.driver.kubeconfig
  }

  /** Starts `intercept ARGS` on the laptop. Not waited for. */
  cli(...args: string[]): CliRun {
    const run = new CliRun(withOptions(args, '-n', this.namespace), {
      kubeconfig: this.cluster.driver.laptopKubeconfig ?? this.kubeconfig,
      prefix: this.cluster.driver.laptop,
    })
    this.#runs.push(run)
    return run
  }

  /** The same on the machine that runs the tests, where a browser can see its page. */
  cliHere(...args: string[]): CliRun {
    const run = new CliRun(withOptions(args, '-n', this.namespace), { kubeconfig: this.kubeconfig })
    this.#runs.push(run)
    return run
  }

  /** Starts an intercept and waits until it is active. */
  async intercept(...args: string[]): Promise<{ run: CliRun; active: CliEvent }> {
    const run = this.cli(...args)
    return { run, active: await run.until('active') }
  }

  /** Waits until kube-proxy has followed: so many answers in a row by `who`. */
  async settled(service: string, who: string | RegExp, port = 80): Promise<void> {
    const at = await this.at(service, port)
    let inRow = 0
    await until(
      `${service} answered by ${who}`,
      async () => {
        const answer = await this.caller.get(at)
        inRow = typeof who === 'string' ? (answer.who === who ? inRow + 1 : 0) : who.test(answer.who) ? inRow + 1 : 0
        return inRow >= 8
      },
      20_000,
    )
  }

  /** Waits until callers reach the proxy pods: the origin sees their addresses then, no longer the caller's. */
  async propagated(service: string, port = 80): Promise<void> {
    const { driver } = this.cluster
    // There, a Service's endpoints are its callers' at once.
    if (driver.kind === 'embedded') return
    const [caller] = await podsOf(this.kube, this.namespace, 'caller')
    const at = await this.at(service, port)
    let inRow = 0
    await until(
      `${service} reached through the proxy pods`,
      async () => {
        const { peer } = await this.caller.get(at)
        inRow = peer.endsWith(caller?.status?.podIP ?? '') ? 0 : inRow + 1
        return inRow >= 8
      },
      20_000,
    )
  }

  at(service: string, port = 80): Promise<{ host: string; port: number }> {
    return this.cluster.at(this.namespace, service, port)
  }

  async start(services: Record<string, Partial<Service['spec']>>): Promise<void> {
    this.cluster = await startTestCluster()
    this.namespace = await this.cluster.createNamespace()
    const [, caller, local] = await Promise.all([
      deploy(this.kube, this.namespace, 'orders', { script: 'app', replicas: 2 }),
      Caller.create(this.kube, this.namespace, this.cluster.driver),
      startLocalApp('laptop', this.cluster.driver.laptop),
    ])
    this.caller = caller
    this.local = local
    for (const [name, spec] of Object.entries(services)) {
      await expose(this.kube, this.namespace, name, { selector: { app: 'orders' }, ...spec })
      await this.answered(name, spec.ports?.find((port) => (port.protocol ?? 'TCP') === 'TCP')?.port ?? 80)
    }
    this.before = await snapshot(this.kube, this.namespace)
  }

  /** Waits until callers reach something behind the Service. */
  async answered(service: string, port: number): Promise<void> {
    const at = await this.at(service, port)
    const deadline = Date.now() + 30_000
    for (;;) {
      try {
        await this.caller.call('get', { ...at, timeoutMs: 1_000 })
        return
      } catch (error) {
        // A port that does not speak HTTP answers too.
        if (/Parse Error|HPE|socket hang up/.test(String(error))) return
        if (Date.now() > deadline) throw error
      }
    }
  }

  /** Ends what a test that failed has left running, so that the next one begins as it would have. */
  async endRuns(): Promise<void> {
    const running = this.#runs.filter(({ child }) => child.exitCode === null && child.signalCode === null)
    await Promise.all(running.map((run) => run.interrupt()))
  }

  async stop(): Promise<void> {
    for (const run of this.#runs)
      if (run.child.exitCode === null && run.child.signalCode === null) run.child.kill('SIGKILL')
    await this.local?.stop()
    await this.cluster?.stop()
  }
}

/** A scenario for all tests of a file. */
export function scenario(services: Record<string, Partial<Service['spec']>> = { orders: {} }): Scenario {
  const made = new Scenario()
  beforeAll(() => made.start(services), 120_000)
  afterEach(() => made.endRuns(), 60_000)
  afterAll(() => made.stop(), 60_000)
  return made
}
