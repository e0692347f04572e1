import { InterceptError, messageOf } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import type { WayIn } from '../agent/way-in.ts'
import { type CommandContext, flagOf, type ParsedOptions, textOf } from '../command.ts'
import type { PodTarget } from './env/pod-target.ts'
import type { Variable } from './env/resolve.ts'
import { makeFilesRoot } from './files/files-root.ts'
import { removeTree } from './files/remove-tree.ts'
import { type PodSurroundings, podSurroundings } from './pod-surroundings.ts'
import { forProgram, programEnvironment, withoutNetwork } from './program-environment.ts'
import { resolverSettings } from './resolver-settings.ts'
import type { Surroundings } from './surroundings.ts'
import { announceSurroundings, failureTeller, tellPort } from './surroundings-report.ts'
import { isNoTwin } from './twin/twin.ts'
import { twinSurroundings } from './twin/twin-surroundings.ts'
import { UndoStack } from './undo-stack.ts'
import { openWayIn } from './way-in-reach.ts'

export interface SurroundingsRequest {
  /** Whose surroundings; undefined: only the way into the cluster. */
  readonly target: PodTarget | undefined
  /** What the Connection's name begins with. */
  readonly purpose: string
  readonly options: ParsedOptions
}

/**
 * What a command is started in: the way into the cluster, and what a pod has, if one is meant. What is missing is told.
 * @throws InterceptError, KubeError; what `signal` aborts with
 */
export async function openSurroundings(
  context: CommandContext,
  kube: Kube,
  { target, purpose, options }: SurroundingsRequest,
  signal: AbortSignal,
): Promise<Surroundings> {
  const undo = new UndoStack()
  try {
    const room = await makeFilesRoot()
    undo.push(() => removeTree(room))
    const opening = kube
      .whoAmI()
      .then(({ username: holder }) =>
        openWayIn(context, kube, { reach: textOf(options, 'reach'), holder, purpose }, signal),
      )
    const looking = target ? podSurroundings({ kube, ui: context.ui }, target, options, room) : undefined
    // Whatever came about is to be taken away, also where the other failed.
    const [opened, found] = await Promise.allSettled([opening, looking])
    const pod = found.status === 'fulfilled' ? found.value : undefined
    if (opened.status === 'fulfilled') undo.push(() => opened.value.way.close())
    if (pod) undo.push(() => pod.files.close())
    if (opened.status === 'rejected') throw opened.reason
    if (found.status === 'rejected') throw found.reason
    const made = await makeSurroundings({ context, kube, way: opened.value.way, pod, options, room })
    undo.push(() => made.close())
    announceSurroundings(context, made, pod, opened.value)
    return { ...made, close: () => undo.unwind() }
  } catch (error) {
    await undo.unwind().catch((left: unknown) => context.ui.warnAside('left-behind', messageOf(left)))
    throw error
  }
}

interface Parts {
  readonly context: CommandContext
  readonly kube: Kube
  readonly way: WayIn
  readonly pod: PodSurroundings | undefined
  readonly options: ParsedOptions
  readonly room: string
}

async function makeSurroundings(parts: Parts): Promise<Surroundings> {
  const { context, kube, way, pod, options, room } = parts
  const { ui } = context
  const { namespace } = kube
  const settings = await resolverSettings(way, namespace)
  const values = forProgram(pod?.values ?? new Map<string, Variable>())
  const unset = pod?.unset ?? []
  const portable = async (): Promise<Surroundings> => {
    const { openPortable } = await import('./portable/portable-surroundings.ts')
    return openPortable({ ui, kube, way, settings, values, unset, filesRoot: pod?.files && `${room}/files` })
  }
  if (flagOf(options, 'portable') || process.platform !== 'linux') return portable()
  const tellFailure = failureTeller(ui)
  try {
    return await twinSurroundings({
      way,
      namespace,
      settings,
      room,
      hostAliases: pod?.hostAliases ?? [],
      mounts: pod?.files.mounts ?? [],
      env: programEnvironment(
        withoutNetwork(process.env),
        [...values].map(([name, { value }]) => [name, value] as const),
        unset,
      ),
      onFailure: ({ address, port }, code, reason) => tellFailure({ host: address, port }, code, reason),
      onPort: (port, taken) => tellPort(ui, port, taken),
      onWithoutIPv6: (reason) => ui.warnAside('no-ipv6', `the pod has IPv6, and the command has not: ${reason}`),
    })
  } catch (error) {
    if (!isNoTwin(error)) throw error
    const why = `no namespaces of Linux here, so the command finds the cluster by its environment: ${messageOf(error)}`
    ui.warnAside('no-twin', why, error instanceof InterceptError ? error.fix : undefined)
    return portable()
  }
}
