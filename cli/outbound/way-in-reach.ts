import { codeOf } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import { WayIn } from '../agent/way-in.ts'
import type { CommandContext } from '../command.ts'

/**
 * A way into the cluster that leads as far as was asked for; where nothing was, as far as she may.
 * @throws as WayIn.open
 */
export async function openWayIn(
  context: CommandContext,
  kube: Kube,
  asked: { readonly reach: string | undefined; readonly holder: string; readonly purpose: string },
  signal: AbortSignal,
): Promise<{ readonly way: WayIn; readonly reach: 'namespace' | 'anywhere' }> {
  const { holder, purpose } = asked
  const open = async (reach: 'namespace' | 'anywhere') => ({
    way: await WayIn.open(context, kube, { reach, holder, purpose }, signal),
    reach,
  })
  if (asked.reach === 'namespace') return open('namespace')
  try {
    return await open('anywhere')
  } catch (error) {
    if (asked.reach !== undefined || codeOf(error) !== 'forbidden') throw error
    const opened = await open('namespace')
    context.ui.warn(
      'reach-limited',
      `only Services of ${kube.namespace} can be reached: what is beyond needs the ClusterRole intercept-outbound`,
    )
    return opened
  }
}
