import { spawn } from 'node:child_process'
import { InterceptError } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import { duplexOf } from '../../src/tunnel/index.ts'
import { formatDuration } from '../../src/units.ts'
import { Interrupts, Stopped } from '../agent/interrupts.ts'
import { findService, parseTarget } from '../agent/target.ts'
import { WayIn } from '../agent/way-in.ts'
import { type Command, type CommandContext, flagOf, type ParsedOptions, textOf, textsOf } from '../command.ts'
import { ExitCode } from '../exit-codes.ts'
import { PathRoutes } from '../preview/path-routes.ts'
import { type Personal, parsePersonal } from '../preview/personal.ts'
import { PreviewServer } from '../preview/preview-server.ts'
import { type Shown, shownService, shownUrl } from '../preview/shown.ts'
import { tunnelAgent } from '../preview/tunnel-agent.ts'
import { paint } from '../ui/colors.ts'

export const preview: Command = {
  usage: 'preview [target]',
  help: 'A page on localhost that shows the cluster as one person gets it',
  details:
    'Every request of the page carries your personal header, so that it is answered by whoever intercepts for that name, and by the cluster where nobody does. Needs no intercept of its own.',
  options: {
    as: { type: 'string', help: 'Whose requests these are: x-intercept and baggage: intercept=NAME' },
    header: { type: 'string', many: true, help: 'Another header on every request: NAME=VALUE; may be repeated' },
    url: { type: 'string', help: 'Show this address instead of a Service: https://staging.example.com' },
    port: { type: 'string', help: "The Service's port, by name or number" },
    host: { type: 'string', help: 'Host that requests name, where the application minds: shop.example.com' },
    listen: { type: 'number', default: 0, help: 'Port of the page; 0: any free one' },
    serve: {
      type: 'string',
      many: true,
      help: 'A dev server of yours answers the paths under a prefix: 3000=/ ; what it does not have, the cluster does',
    },
    cluster: { type: 'string', many: true, help: "With --serve: paths that stay the cluster's: /api" },
    open: { type: 'boolean', help: 'Open the page in the browser' },
  },
  examples: [
    ['intercept preview svc/web --as ada', 'the web page, with what ada intercepts behind it'],
    ['intercept preview svc/web --as ada --serve 3000=/ --cluster /api', 'your own front end before the cluster'],
    ['intercept preview --url https://staging.example.com --as ada', 'through the front door'],
  ],
  run,
}

async function run(context: CommandContext, options: ParsedOptions): Promise<number> {
  const { ui } = context
  const personal = parsePersonal(textOf(options, 'as'), textsOf(options, 'header'))
  const paths = new PathRoutes(textsOf(options, 'serve'), textsOf(options, 'cluster'))
  const kube = await context.kube()
  ui.live.set(() => `looking up what to show in ${kube.context}`)
  const [shown, me] = await Promise.all([findShown(kube, options), kube.whoAmI()])
  const interrupts = new Interrupts()
  let server: PreviewServer | undefined
  let way: WayIn | undefined
  try {
    const { reach } = shown
    way = await WayIn.open(context, kube, { reach, holder: me.username, purpose: 'preview' }, interrupts.first)
    const opened = way
    server = serverFor(context, shown, personal, paths, opened)
    const url = await server.listen(Number(options.listen ?? 0))
    ui.event(
      { event: 'active', url, shows: shown.name, as: personal.name, route: opened.route },
      `${paint.good('✔')} ${paint.name(url)} shows ${shown.name}${personal.name ? ` as ${personal.name}` : ''}`,
    )
    if (flagOf(options, 'open')) openInBrowser(url)
    ui.live.set(() => `Ctrl-C ends the preview${opened.trouble ? `; ${opened.trouble}` : ''}`)
    await interrupts.wait()
    return ExitCode.Ok
  } catch (error) {
    if (error instanceof Stopped) return ExitCode.Ok
    throw error
  } finally {
    server?.close()
    ui.live.clear()
    await way?.close()
    interrupts.stop()
    ui.event({ event: 'ended' })
  }
}

async function findShown(kube: Kube, options: ParsedOptions): Promise<Shown> {
  const [url, target] = [textOf(options, 'url'), textOf(options, 'target')]
  if ((url === undefined) === (target === undefined)) {
    throw new InterceptError('usage', 'what is to be shown: a Service or --url?', {
      fix: 'intercept preview svc/NAME --as YOUR-NAME',
    })
  }
  if (url !== undefined) return shownUrl(url)
  const service = await findService(kube, kube.namespace, parseTarget(target ?? ''))
  return shownService(service, textOf(options, 'port'), textOf(options, 'host'))
}

function serverFor(
  { ui }: CommandContext,
  shown: Shown,
  personal: Personal,
  paths: PathRoutes,
  way: WayIn,
): PreviewServer {
  return new PreviewServer({
    remote: shown.remote,
    agent: tunnelAgent(() => duplexOf(way.dial(shown.dial)), shown.tls),
    personal,
    paths,
    onRequest: ({ method, url, status, owner, milliseconds }) => {
      const who = owner === 'cluster' ? 'cluster' : `localhost:${owner.localPort}`
      ui.event(
        { event: 'request', method, url, status, owner: who, milliseconds: Math.round(milliseconds) },
        paint.aside(`${method} ${url} ${status} ${who} ${formatDuration(milliseconds)}`),
      )
    },
    onFailure: ({ method, url, reason }) => ui.warn('not-answered', `${method} ${url}: ${reason}`),
  })
}

/** With what the system opens addresses; where there is nothing, the address is on the screen. */
function openInBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start', ''] : ['xdg-open']
  const child = spawn(command ?? '', [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
