import { isIP } from 'node:net'
import { InterceptError } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import { formatBytes } from '../../src/units.ts'
import { Interrupts, Stopped } from '../agent/interrupts.ts'
import { findService, parseTarget } from '../agent/target.ts'
import { WayIn } from '../agent/way-in.ts'
import { type Command, type CommandContext, type ParsedOptions, textOf, textsOf } from '../command.ts'
import { ExitCode } from '../exit-codes.ts'
import { type ForwardPort, parseForwardPort, servicePortOf } from '../outbound/forward-port.ts'
import { Forwarder } from '../outbound/forwarder.ts'
import { paint } from '../ui/colors.ts'

export const forward: Command = {
  usage: 'forward <target> [ports..]',
  help: 'Ports of this machine that lead to a Service, whatever becomes of its pods',
  details:
    'As kubectl port-forward, but to the Service and not to one of its pods; open connections survive a change of network and a short sleep, and new ones wait for a laptop that wakes.',
  options: {
    address: { type: 'string', default: 'localhost', help: 'Address of this machine to listen on' },
  },
  examples: [
    ['intercept forward svc/db 5432', 'localhost:5432 leads to port 5432 of db'],
    ['intercept forward svc/db 15432:postgres :9187', 'by name; and any free port here'],
    ['intercept forward db.example.internal 5432', 'any host that the proxy pods reach (a right of its own)'],
  ],
  run,
}

/** Where ports lead. */
interface Led {
  readonly name: string
  readonly reach: 'namespace' | 'anywhere'
  /** What a stream's header says for this port. */
  dialOf(port: ForwardPort): Readonly<Record<string, string | number>>
}

async function run(context: CommandContext, options: ParsedOptions): Promise<number> {
  const { ui } = context
  const ports = textsOf(options, 'ports').map(parseForwardPort)
  const target = textOf(options, 'target') ?? ''
  if (ports.length === 0) {
    throw new InterceptError('usage', 'which ports?', { fix: `intercept forward ${target} 5432` })
  }
  const kube = await context.kube()
  const [led, me] = await Promise.all([leadTo(kube, target), kube.whoAmI()])
  const wanted = ports.map((port) => ({ port, dial: led.dialOf(port) }))
  const interrupts = new Interrupts()
  const forwarders: Forwarder[] = []
  let way: WayIn | undefined
  try {
    const { reach } = led
    const opened = await WayIn.open(context, kube, { reach, holder: me.username, purpose: 'forward' }, interrupts.first)
    way = opened
    const totals = { open: 0, in: 0, out: 0 }
    const hosts = textOf(options, 'address') === 'localhost' ? ['127.0.0.1'] : [textOf(options, 'address') ?? '']
    for (const { port, dial } of wanted) {
      const forwarder = new Forwarder({
        dial: () => opened.dial(dial),
        up: (signal) => opened.up(signal),
        onConnection: () => {
          totals.open += 1
        },
        onClosed: (bytes) => {
          totals.open -= 1
          totals.in += bytes.in
          totals.out += bytes.out
        },
        onFailure: (reason) => ui.warn('not-connected', `${led.name}:${port.remote}: ${reason}`),
      })
      forwarders.push(forwarder)
      const local = await forwarder.listen(hosts, port.local)
      ui.event(
        { event: 'forwarding', local, to: led.name, port: dial.port, route: opened.route },
        `${paint.good('✔')} ${paint.name(`${hosts[0] === '127.0.0.1' ? 'localhost' : hosts[0]}:${local}`)} → ${paint.cluster(`${led.name}:${dial.port}`)}`,
      )
    }
    ui.event({ event: 'active' })
    ui.live.set(
      () =>
        `${totals.open} open · ${formatBytes(totals.in)} in, ${formatBytes(totals.out)} out${opened.trouble ? ` · ${opened.trouble}` : ''} · Ctrl-C ends it`,
    )
    await interrupts.wait()
    return ExitCode.Ok
  } catch (error) {
    if (error instanceof Stopped) return ExitCode.Ok
    throw error
  } finally {
    for (const forwarder of forwarders) forwarder.close()
    ui.live.clear()
    await way?.close()
    interrupts.stop()
    ui.event({ event: 'ended' })
  }
}

/** A Service of the namespace, or any host: one has a dot or a colon in it, or is an address. */
async function leadTo(kube: Kube, target: string): Promise<Led> {
  const host = target.replace(/^\[|\]$/g, '')
  if (isIP(host) > 0 || /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+\.?$/.test(host)) {
    const dialOf = ({ remote }: ForwardPort) => {
      if (/^\d+$/.test(remote)) return { host, port: Number(remote), namespace: kube.namespace }
      throw new InterceptError('bad-port', `"${remote}": a port of a host has a number`, {
        fix: `intercept forward ${target} 5432`,
      })
    }
    return { name: host, reach: 'anywhere', dialOf }
  }
  const service = await findService(kube, kube.namespace, parseTarget(target))
  const { name, namespace = 'default' } = service.metadata
  return {
    name: `${name}.${namespace}`,
    reach: 'namespace',
    dialOf: ({ remote }) => ({ namespace, service: name, port: servicePortOf(service, remote) }),
  }
}
