import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Pod } from '../../../src/kube/objects.ts'

const exec = promisify(execFile)

/** The network namespace of a pod whose node is this machine. */
export class PodNetwork {
  readonly #namespace: string
  readonly #addresses: string[] = []

  private constructor(namespace: string) {
    this.#namespace = namespace
  }

  /** Undefined where the node is another machine, or its namespaces are not ours to enter. */
  static find({ metadata: { uid } }: Pod): PodNetwork | undefined {
    if (process.platform !== 'linux' || process.getuid?.() !== 0 || uid === undefined) return undefined
    // As cgroups spell it that systemd makes.
    const spellings = [uid, uid.replaceAll('-', '_')]
    const pid = readdirSync('/proc').find((name) => {
      const groups = /^\d+$/.test(name) ? groupsOf(name) : ''
      return spellings.some((spelling) => groups.includes(`/pod${spelling}`) || groups.includes(`-pod${spelling}`))
    })
    return pid === undefined ? undefined : new PodNetwork(`/proc/${pid}/ns/net`)
  }

  /** Gives the pod an address of IPv6, until `restore`. @param address with the length of its prefix */
  async add(address: string): Promise<void> {
    await exec('nsenter', [`--net=${this.#namespace}`, ...`ip -6 addr add ${address} dev eth0 nodad`.split(' ')])
    this.#addresses.push(address)
  }

  /** Takes the addresses away that we gave. */
  async restore(): Promise<void> {
    for (const address of this.#addresses.splice(0)) {
      await exec('nsenter', [`--net=${this.#namespace}`, ...`ip -6 addr del ${address} dev eth0`.split(' ')])
    }
  }

  /** Starts a program of this machine in the pod's network. */
  start(...command: readonly string[]): ChildProcess {
    return spawn('nsenter', [`--net=${this.#namespace}`, ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
  }
}

function groupsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  } catch {
    // It has ended since.
    return ''
  }
}
