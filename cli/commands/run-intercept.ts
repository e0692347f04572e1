import { codeOf } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import { generateKeys } from '../../src/tunnel/index.ts'
import { Agent } from '../agent/agent.ts'
import { type Chosen, chosenFrom, specOf } from '../agent/chosen.ts'
import { Hold } from '../agent/hold.ts'
import { Interrupts, Stopped } from '../agent/interrupts.ts'
import { bareCommand, commandIn, type LocalCommand } from '../agent/local-command.ts'
import { checkLocalPorts } from '../agent/local-ports.ts'
import { type Preflight, preflight } from '../agent/preflight.ts'
import { tellAstray } from '../agent/tell-astray.ts'
import { TrafficSummary } from '../agent/traffic-summary.ts'
import { TunnelPool } from '../agent/tunnel-pool.ts'
import { type CommandContext, flagOf, type ParsedOptions } from '../command.ts'
import { ExitCode } from '../exit-codes.ts'
import { paint } from '../ui/colors.ts'
import { giveBack } from './give-back.ts'
import { announce, tellLocalDown, tellTunnel, warnOfSkew } from './intercept-report.ts'
import { redirect } from './redirect.ts'

/** Holds a Service until Ctrl-C. @returns the exit code */
export async function runIntercept(context: CommandContext, options: ParsedOptions): Promise<number> {
  const { ui } = context
  const startedAt = performance.now()
  const chosen = chosenFrom(options)
  const kube = await context.kube()
  ui.live.set(() => `looking up ${chosen.target.name} in ${kube.namespace} of ${kube.context}`)
  const found = await installedPreflight(context, kube, chosen)
  if (chosen.to) return redirect(context, kube, chosen, found, startedAt)
  const interrupts = new Interrupts()
  let command: LocalCommand | undefined
  try {
    command = context.rest.length > 0 ? await startCommand(context, kube, chosen, options, interrupts) : undefined
    const locals = found.ports.map(({ local }) => local)
    if (command) ui.live.clear()
    const ended = await checkLocalPorts(ui, locals, chosen.waitMs, command, interrupts.first)
    if (ended !== undefined) return ended
    return await holdService(context, kube, chosen, found, { command, interrupts, startedAt })
  } catch (error) {
    if (error instanceof Stopped) return ExitCode.Ok
    throw error
  } finally {
    ui.live.clear()
    await command?.close()
    interrupts.stop()
  }
}

/** The command after `--`, with what the pods of the Service have. */
async function startCommand(
  context: CommandContext,
  kube: Kube,
  { target }: Chosen,
  options: ParsedOptions,
  interrupts: Interrupts,
): Promise<LocalCommand> {
  if (flagOf(options, 'bare')) return bareCommand(context.rest)
  const { openSurroundings } = await import('../outbound/open-surroundings.ts')
  const request = { target, purpose: 'intercept', options }
  const surroundings = await openSurroundings(context, kube, request, interrupts.first)
  return commandIn(surroundings, context.rest)
}

/** From the Intercept's creation to its end. @returns the exit code */
async function holdService(
  { ui, global }: CommandContext,
  kube: Kube,
  chosen: Chosen,
  { service, ports, holder }: Preflight,
  running: { command: LocalCommand | undefined; interrupts: Interrupts; startedAt: number },
): Promise<number> {
  const { command, interrupts, startedAt } = running
  const { onLocalDown, holdSeconds } = chosen
  const { name, namespace = 'default' } = service.metadata
  const traffic = new TrafficSummary()
  const holdMs = onLocalDown === 'hold' ? holdSeconds * 1000 : 0
  const agent = new Agent(
    new Map(ports.map(({ port, local }) => [port, local])),
    holdMs,
    {
      onConnection: () => traffic.connection(),
      onClosed: () => traffic.closed(),
      onExchange: (_port, exchange) => traffic.exchange(exchange),
      onLocalDown: (_port, local, reason) => {
        if (traffic.localDown()) tellLocalDown(ui, local, reason, onLocalDown)
      },
    },
    command?.dial,
  )
  const keys = generateKeys()
  const { publicKey } = keys
  const hold = await Hold.create(kube, { service, ports, holder, publicKey, ...specOf(chosen) })
  ui.event({ event: 'created', intercept: hold.name, namespace, service: name, holder })
  const pool = new TunnelPool(kube, global.systemNamespace, keys, {
    onStream: (stream) => agent.serve(stream),
    onState: (replica, state, detail) => tellTunnel(ui, replica, state, detail),
    onAstray: (message) => tellAstray(ui, message),
  })
  const over = new AbortController()
  const stopped = Promise.race([interrupts.wait(), ...(command ? [command.ended] : [])])
  stopped.then(
    () => over.abort(new Stopped()),
    (error: unknown) => over.abort(error),
  )
  try {
    ui.live.set(
      () => `taking over ${name}: ${pool.trouble ?? hold.current?.status?.message ?? 'waiting for the proxy pods'}`,
    )
    await pool.synced
    warnOfSkew(ui, pool.versions)
    const [taken] = await Promise.all([hold.takenOver(over.signal), pool.ready(over.signal)])
    const totalMs = performance.now() - startedAt
    announce(ui, { name, namespace, ports, pool, hold, totalMs, taken, mode: chosen.mode })
    // With a command the terminal is its own.
    if (command) ui.live.clear()
    else ui.live.set(() => traffic.line(pool))
    await hold.ended(over.signal)
    ui.event(
      { event: 'revoked', intercept: hold.name },
      `${paint.bad('■')} Intercept ${hold.name} was ended in the cluster (revoked, expired or uninstalled)`,
    )
    return ExitCode.Revoked
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    const ended = await stopped
    return ended === 'interrupted' ? ExitCode.Ok : ended
  } finally {
    await giveBack(ui, kube, hold, pool, name, interrupts)
    hold.stop()
  }
}

/** Where intercept is not installed yet, offers to. */
async function installedPreflight(context: CommandContext, kube: Kube, chosen: Chosen): Promise<Preflight> {
  const { target, ports } = chosen
  const wanted = specOf(chosen)
  try {
    return await preflight(kube, kube.namespace, target, ports, wanted)
  } catch (error) {
    if (codeOf(error) !== 'not-installed') throw error
    const { offerInstall } = await import('./offer-install.ts')
    await offerInstall(context, error)
    return preflight(kube, kube.namespace, target, ports, wanted)
  }
}
