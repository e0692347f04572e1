import { Forwarder } from '../forwarder.ts'
import type { Address } from './found-address.ts'
import { localHost } from './rewriting.ts'
import type { Way } from './way.ts'

export interface AddressForwardersParts {
  readonly way: Way
  /** Names are what a pod of it sees. */
  readonly namespace: string
  /** A connection that did not come about, for the person. */
  onFailure(to: Address, reason: string): void
}

/** One port of this machine for each address of the cluster. */
export class AddressForwarders {
  readonly #parts: AddressForwardersParts
  readonly #forwarders: Forwarder[] = []
  readonly #ports = new Map<string, number>()

  constructor(parts: AddressForwardersParts) {
    this.#parts = parts
  }

  /** Listens for each; on its own it closes none again. @throws InterceptError 'cannot-listen' */
  async open(addresses: readonly Address[]): Promise<void> {
    await Promise.all(
      addresses.map(async (address) => {
        const { way, namespace, onFailure } = this.#parts
        const forwarder = new Forwarder({
          dial: () => way.dial({ ...address, namespace }),
          up: (signal) => way.up(signal),
          onConnection: () => undefined,
          onClosed: () => undefined,
          onFailure: (reason) => onFailure(address, reason),
        })
        this.#forwarders.push(forwarder)
        this.#ports.set(keyOf(address), await forwarder.listen([localHost], 0))
      }),
    )
  }

  /** The port of this machine that leads there; of an address that was opened. */
  portOf(address: Address): number {
    const port = this.#ports.get(keyOf(address))
    if (port === undefined) throw new Error(`${keyOf(address)} was not opened`)
    return port
  }

  close(): void {
    for (const forwarder of this.#forwarders) forwarder.close()
  }
}

const keyOf = ({ host, port }: Address): string => `${host} ${port}`
