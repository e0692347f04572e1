import type { KubeObject } from '../../../../src/kube/types.ts'
import { dictOf, dig, listOf } from '../json.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** The number of a container port given by number or name; undefined where the pod has no such name. */
export function containerPort(pod: KubeObject, port: number | string, protocol?: string): number | undefined {
  if (typeof port === 'number') return port
  if (/^\d+$/.test(port)) return Number(port)
  for (const container of listOf(dig(pod, 'spec', 'containers'))) {
    for (const entry of listOf(dictOf(container).ports).map(dictOf)) {
      if (entry.name === port && (protocol === undefined || entry.protocol === protocol))
        return Number(entry.containerPort)
    }
  }
  return undefined
}

/**
 * Where the ports of pods really listen. With an address for each pod that is the port itself; with a single address
 * each container port has a free port of its own.
 */
export class PodPorts {
  readonly #mapped = new Map<string, Map<number, number>>()

  /** `uid` of the pod. */
  map(uid: string, ports: ReadonlyMap<number, number>): void {
    this.#mapped.set(uid, new Map(ports))
  }

  forget(uid: string): void {
    this.#mapped.delete(uid)
  }

  real(pod: KubeObject, port: number): number {
    return this.#mapped.get(pod.metadata.uid ?? '')?.get(port) ?? port
  }

  /** undefined where the pod has no address yet, or no port of that name. */
  reach(pod: KubeObject, port: number | string): Address | undefined {
    const host = dig(pod, 'status', 'podIP')
    const number = containerPort(pod, port)
    if (typeof host !== 'string' || number === undefined) return undefined
    return { host, port: this.real(pod, number) }
  }
}
