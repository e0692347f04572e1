import { codeOf, InterceptError, messageOf } from '../../../src/errors.ts'
import { Forwarder } from '../forwarder.ts'
import type { HostsEntry } from './hosts-plan.ts'
import type { Way } from './way.ts'

/** A port where this machine could not listen. */
export interface UnboundPort {
  readonly service: string
  readonly address: string
  readonly port: number
  /** `privileged`: a port below 1024 that this user may not have. */
  readonly reason: 'in-use' | 'privileged' | 'other'
  readonly message: string
}

export interface HostsListenersParts {
  readonly way: Way
  readonly namespace: string
  onFailure(to: { readonly service: string; readonly port: number }, reason: string): void
}

/** The ports of Services, on addresses of this machine. */
export class HostsListeners {
  readonly #parts: HostsListenersParts
  readonly #forwarders: Forwarder[] = []

  constructor(parts: HostsListenersParts) {
    this.#parts = parts
  }

  /** Listens for all that it can. @returns the others */
  async open(entries: readonly HostsEntry[]): Promise<UnboundPort[]> {
    const tried = entries.flatMap((entry) => entry.ports.map((port) => this.#listen(entry, port)))
    return (await Promise.all(tried)).filter((one) => one !== undefined)
  }

  close(): void {
    for (const forwarder of this.#forwarders) forwarder.close()
  }

  async #listen({ service, address }: HostsEntry, port: number): Promise<UnboundPort | undefined> {
    const { way, namespace, onFailure } = this.#parts
    const forwarder = new Forwarder({
      dial: () => way.dial({ namespace, service, port }),
      up: (signal) => way.up(signal),
      onConnection: () => undefined,
      onClosed: () => undefined,
      onFailure: (reason) => onFailure({ service, port }, reason),
    })
    try {
      await forwarder.listen([address], port)
      this.#forwarders.push(forwarder)
      return undefined
    } catch (error) {
      if (!(error instanceof InterceptError)) throw error
      const code = codeOf(error.cause)
      const reason = code === 'EADDRINUSE' ? 'in-use' : code === 'EACCES' ? 'privileged' : 'other'
      return { service, address, port, reason, message: messageOf(error.cause) }
    }
  }
}
