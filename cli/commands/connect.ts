import { InterceptError } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import { Interrupts, Stopped } from '../agent/interrupts.ts'
import { WayIn } from '../agent/way-in.ts'
import { type Command, type CommandContext, flagOf, type ParsedOptions, textOf } from '../command.ts'
import { ExitCode } from '../exit-codes.ts'
import { type HostsNames, openHostsNames } from '../outbound/portable/hosts-names.ts'
import { ProxyServer } from '../outbound/proxy-server.ts'
import { proxyVariables, shellLines } from '../outbound/proxy-variables.ts'
import { runInSurroundings } from '../outbound/run-in-surroundings.ts'
import { portableOption } from '../outbound/surroundings-options.ts'
import { Ui } from '../ui/ui.ts'

export const connect: Command = {
  usage: 'connect',
  help: 'A way into the cluster for a command, a shell, or by proxy for all of this machine',
  details:
    'A command is in the cluster as with `intercept run`, without what a pod has. Without one: a SOCKS5 and an HTTP proxy on one port of this machine. Connections leave from a proxy pod; names are what a pod of the namespace sees.',
  options: {
    reach: {
      type: 'string',
      choices: ['namespace', 'anywhere'],
      help: 'How far it leads: Services of the namespace (default without a command), or whatever the proxy pods reach (a right of its own; default with a command, where you may)',
    },
    listen: { type: 'number', default: 0, help: 'Port of the proxy, on 127.0.0.1 (0: any free one)' },
    portable: portableOption,
    hosts: {
      type: 'boolean',
      help: "Listen for the namespace's Services too, and print the line that gives them their names here",
    },
  },
  examples: [
    ['intercept connect -- npm run dev', 'any program; on Linux in namespaces of its own'],
    ['intercept connect -- bash', 'a shell that is in the cluster'],
    ['intercept connect --listen 1080', 'prints the variables of a proxy, and stays until Ctrl-C'],
    ['intercept connect --hosts', 'http://inventory:8080 for every program, with one line of sudo'],
  ],
  run,
}

async function run(context: CommandContext, options: ParsedOptions): Promise<number> {
  if (context.rest.length === 0) return serveProxy(context, options)
  if (flagOf(options, 'hosts') || options.listen) {
    throw new InterceptError('usage', '--hosts and --listen are for who has no command after --', {
      fix: `intercept connect -- ${context.rest.join(' ')}`,
    })
  }
  return runInSurroundings(context, { target: undefined, purpose: 'connect', options })
}

/** A proxy, until Ctrl-C. */
async function serveProxy(context: CommandContext, options: ParsedOptions): Promise<number> {
  // What stdout has is the variables.
  const ui = context.ui.isJson ? context.ui : new Ui('text', process.stderr)
  const reach = textOf(options, 'reach') === 'anywhere' ? 'anywhere' : 'namespace'
  const kube = await context.kube()
  const me = await kube.whoAmI()
  const interrupts = new Interrupts()
  let way: WayIn | undefined
  let proxy: ProxyServer | undefined
  let hosts: HostsNames | undefined
  try {
    const asked = { reach, holder: me.username, purpose: 'connect' } as const
    const opened = await WayIn.open({ ...context, ui }, kube, asked, interrupts.first)
    way = opened
    proxy = proxyInto(opened, kube, ui)
    const at = await proxy.listen(Number(options.listen ?? 0))
    const variables = proxyVariables(at, new URL(kube.server).hostname, process.env)
    ui.event({ event: 'active', ...at, namespace: kube.namespace, reach, route: opened.route, variables })
    ui.live.clear()
    if (flagOf(options, 'hosts')) {
      hosts = await openHostsNames({
        ...{ way: opened, kube },
        onFailure: ({ service, port }, reason) => ui.warn('not-connected', `${service}:${port}: ${reason}`),
      })
      tellHosts(ui, hosts)
    }
    if (!ui.isJson) {
      const shell = process.platform === 'win32' ? 'powershell' : 'posix'
      context.ui.raw(`${shellLines(variables, shell).join('\n')}\n`)
    }
    const served = proxy
    ui.live.set(() => `${served.open} open${opened.trouble ? ` · ${opened.trouble}` : ''} · Ctrl-C ends it`)
    await interrupts.wait()
    return ExitCode.Ok
  } catch (error) {
    if (error instanceof Stopped) return ExitCode.Ok
    throw error
  } finally {
    proxy?.close()
    hosts?.close()
    ui.live.clear()
    await way?.close()
    interrupts.stop()
    ui.event({ event: 'ended' })
  }
}

function tellHosts(ui: Ui, { lines, isThere, commands, advice }: HostsNames): void {
  const how = isThere
    ? 'The names of the Services stand in the hosts file. To take them out:'
    : `So that the names of ${lines.length} Services lead there, type this once:\n\n${commands.add}\n\nand to take them out again:`
  const text = lines.length === 0 ? 'No Service of the namespace has a TCP port.' : `${how}\n\n${commands.remove}\n`
  ui.event({ event: 'hosts', lines, isThere, ...commands }, text)
  for (const { code, message, fix } of advice) ui.warn(code, message, fix)
}

function proxyInto(way: WayIn, kube: Kube, ui: Ui): ProxyServer {
  return new ProxyServer({
    dial: ({ host, port }) => way.dial({ host, port, namespace: kube.namespace }),
    up: (signal) => way.up(signal),
    onFailure: ({ host, port }, _code, reason) => ui.warn('not-connected', `${host}:${port}: ${reason}`),
  })
}
