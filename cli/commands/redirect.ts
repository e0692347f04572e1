import { InterceptError } from '../../src/errors.ts'
import type { Pod, Service } from '../../src/kube/objects.ts'
import { pods, services } from '../../src/kube/resources.ts'
import type { Kube } from '../../src/kube/types.ts'
import { describeMatch } from '../../src/match/describe.ts'
import type { InterceptWorkload } from '../../src/resource/intercept.ts'
import { formatDuration } from '../../src/units.ts'
import { type Chosen, specOf } from '../agent/chosen.ts'
import { Hold } from '../agent/hold.ts'
import { Interrupts, Stopped } from '../agent/interrupts.ts'
import type { Preflight } from '../agent/preflight.ts'
import type { CommandContext } from '../command.ts'
import { ExitCode } from '../exit-codes.ts'
import { paint } from '../ui/colors.ts'
import { end } from './leave.ts'

/** `--to`: a workload of the cluster answers. Until Ctrl-C, or with `--detach` until somebody ends it. */
export async function redirect(
  context: CommandContext,
  kube: Kube,
  chosen: Chosen,
  { service, ports, holder }: Preflight,
  startedAt: number,
): Promise<number> {
  const { ui } = context
  const { name, namespace = 'default' } = service.metadata
  const to = chosen.to as InterceptWorkload
  await checkWorkload(
    kube,
    namespace,
    to,
    ports.map(({ port }) => port),
  )
  const interrupts = new Interrupts()
  const hold = await Hold.create(kube, { service, ports, holder, ...specOf(chosen) })
  ui.event({ event: 'created', intercept: hold.name, namespace, service: name, holder })
  let isKept = false
  try {
    ui.live.set(() => `taking over ${name}: ${hold.current?.status?.message ?? 'waiting for the proxy pods'}`)
    const taken = await hold.takenOver(interrupts.first)
    const match = describeMatch(taken.spec.match)
    const totalMs = Math.round(performance.now() - startedAt)
    const until = chosen.detach ? `intercept leave ${hold.name} -n ${namespace}   ends it` : 'Ctrl-C gives it back'
    ui.event(
      {
        event: 'active',
        intercept: hold.name,
        namespace,
        service: name,
        ports,
        to,
        match,
        detached: chosen.detach,
        totalMs,
      },
      [
        `${paint.good('✔')} ${paint.name(`${name}.${namespace}`)}:${ports.map(({ port }) => port).join(',')} → ${paint.cluster(`${to.kind} ${to.name}`)}  ${paint.aside(match)}`,
        paint.aside(`  in ${formatDuration(totalMs)}; Intercept ${hold.name}`),
        paint.aside(`  ${until}`),
      ].join('\n'),
    )
    isKept = chosen.detach
    if (isKept) return ExitCode.Ok
    ui.live.set(() => `${to.kind} ${to.name} answers for ${name}`)
    await hold.ended(interrupts.first)
    ui.event(
      { event: 'revoked', intercept: hold.name },
      `${paint.bad('■')} Intercept ${hold.name} was ended in the cluster`,
    )
    return ExitCode.Revoked
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    return ExitCode.Ok
  } finally {
    const { current } = hold
    hold.stop()
    ui.live.clear()
    if (!isKept && current) await end(context, [current])
    interrupts.stop()
  }
}

/** @throws InterceptError 'workload-not-found' */
async function checkWorkload(
  kube: Kube,
  namespace: string,
  to: InterceptWorkload,
  ports: readonly number[],
): Promise<void> {
  const what = `${to.kind} ${namespace}/${to.name}`
  const fix = `kubectl -n ${namespace} get ${to.kind === 'Pod' ? 'pods' : 'services'}`
  const found =
    to.kind === 'Pod'
      ? await kube.find<Pod>(pods, namespace, to.name)
      : await kube.find<Service>(services, namespace, to.name)
  if (!found) throw new InterceptError('workload-not-found', `${what} does not exist`, { fix })
  if (to.kind === 'Pod') return
  const present = ((found as Service).spec.ports ?? []).map(({ port }) => port)
  const [missing] = (to.port === undefined ? ports : [to.port]).filter((port) => !present.includes(port))
  if (missing === undefined) return
  throw new InterceptError(
    'workload-not-found',
    `${what} has no port ${missing}: it has ${present.join(', ') || 'none'}`,
    {
      fix: `--to svc/${to.name}:${present[0] ?? 80}`,
    },
  )
}
