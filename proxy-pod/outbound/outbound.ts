import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { dialTcp } from '../../src/dial-tcp.ts'
import { codeOf, messageOf } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import { answerStream } from '../../src/tunnel/answer-stream.ts'
import type { TunnelStream } from '../../src/tunnel/types.ts'
import { ClusterServices } from './cluster-services.ts'
import { Denied, type OwnPod } from './denied.ts'
import { type Destination, destinationOf } from './destination.ts'
import { dialError } from './dial-error.ts'
import { addressesOf } from './dns/addresses-of.ts'
import type { LaptopDns } from './dns/laptop-dns.ts'
import { serveDns } from './dns/serve-dns.ts'
import { dnsOfPod } from './dns-of-pod.ts'
import { ipv6KindOf } from './ipv6-kind.ts'
import { namespaceAskedBy } from './namespace-asked.ts'
import { Narrowed, type OutboundRules } from './narrowed.ts'
import { outOfReach, type Reach } from './reach.ts'
import { parseResolvConf, type ResolvConf, settingsFor } from './resolv-conf.ts'
import { type Address, Resolver } from './resolve.ts'
import { UdpFlows } from './udp-flows.ts'

/** Time for one address to accept, in milliseconds: what most callers in a pod would wait. */
const connectTimeoutMs = 10_000
const resolvConfFile = '/etc/resolv.conf'

/** What this pod's resolv.conf leads to. */
interface Names {
  readonly conf: ResolvConf
  readonly resolver: Resolver
  readonly narrowed: Narrowed
  readonly dns: LaptopDns
}

/** What laptops ask of the cluster: connections and datagrams that leave from this pod, and its DNS. */
export class Outbound {
  readonly #services: ClusterServices
  readonly #own: OwnPod
  readonly #rules: OutboundRules
  /** The kubelet writes the file once, before the pod starts. */
  #names: Promise<Names> | undefined

  constructor(kube: Kube, own: OwnPod, rules: OutboundRules = { allow: [], deny: [] }) {
    this.#services = new ClusterServices(kube)
    this.#own = own
    this.#rules = rules
  }

  /**
   * Answers the streams that the laptop of one tunnel opens.
   * @param reaches of the laptop's login now; none: it was ended
   */
  forTunnel(reaches: () => readonly Reach[]): (stream: TunnelStream) => void {
    const udp = new UdpFlows()
    return (stream) => {
      const { header } = stream
      const destination = destinationOf(header)
      const asked = namespaceAskedBy(header)
      if (destination?.protocol === 'TCP') this.#dial(stream, destination, reaches)
      else if (destination) udp.serve(stream, () => this.#addressesOf(destination, reaches))
      else if (asked?.for === 'dns') this.#serveDns(stream, reaches)
      else if (asked) this.#tellSettings(stream, asked.namespace, reaches)
      else stream.refuse('bad-destination', 'the header names no destination')
    }
  }

  close(): void {
    this.#services.close()
  }

  #dial(stream: TunnelStream, destination: Destination, reaches: () => readonly Reach[]): void {
    answerStream(stream, {
      dial: async (signal) => dialFirst(await this.#addressesOf(destination, reaches), signal),
      refusal: (error) => ({ code: codeOf(error) ?? 'unreachable', message: messageOf(error) }),
    })
  }

  async #addressesOf(destination: Destination, reaches: () => readonly Reach[]): Promise<readonly Address[]> {
    const { resolver, narrowed } = await this.#knownNames()
    return narrowed.within(await resolver.addressesOf(destination, reaches()))
  }

  #serveDns(stream: TunnelStream, reaches: () => readonly Reach[]): void {
    serveDns(stream, async (message, signal) => (await this.#knownNames()).dns.answer(message, reaches(), signal))
  }

  /** Accepts, says what they are, and ends. */
  #tellSettings(stream: TunnelStream, namespace: string, reaches: () => readonly Reach[]): void {
    stream.handle({
      onData: (chunk) => stream.consumed(chunk.length),
      onEnd: () => undefined,
      onReset: () => undefined,
      onDrain: () => undefined,
    })
    if (reaches().length === 0) {
      const { code, message } = outOfReach([])
      stream.refuse(code, message)
      return
    }
    this.#knownNames().then(
      ({ conf }) => {
        stream.accept()
        const settings = { ...settingsFor(conf, namespace), ipv6: ipv6KindOf(networkInterfaces()) }
        stream.write(Buffer.from(JSON.stringify(settings)))
        stream.end()
      },
      (error: unknown) => stream.refuse(codeOf(error) ?? 'unreadable', messageOf(error)),
    )
  }

  #knownNames(): Promise<Names> {
    this.#names ??= this.#readNames().catch((error: unknown) => {
      this.#names = undefined
      throw error
    })
    return this.#names
  }

  async #readNames(): Promise<Names> {
    const text = await readFile(resolvConfFile, 'utf8').catch((error: unknown) => {
      // As resolvers have it: without the file, no search list.
      if (codeOf(error) === 'ENOENT') return ''
      throw error
    })
    const conf = parseResolvConf(text)
    const dns = dnsOfPod(conf, this.#own, this.#services)
    return {
      conf,
      resolver: new Resolver(this.#services, new Denied(this.#own), conf.searchList),
      narrowed: new Narrowed(this.#rules, (name) => addressesOf(dns, name)),
      dns,
    }
  }
}

/** Rejects with what says most of the addresses where none accepts. */
async function dialFirst(addresses: readonly Address[], signal: AbortSignal): Promise<Socket> {
  const errors: unknown[] = []
  for (const address of addresses) {
    signal.throwIfAborted()
    try {
      return await dialTcp(address, { signal, timeoutMs: connectTimeoutMs })
    } catch (error) {
      errors.push(error)
    }
  }
  throw dialError(errors)
}
