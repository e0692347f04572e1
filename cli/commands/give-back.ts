import { messageOf } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import { formatDuration } from '../../src/units.ts'
import type { Hold } from '../agent/hold.ts'
import type { Interrupts } from '../agent/interrupts.ts'
import { released } from '../agent/released.ts'
import type { TunnelPool } from '../agent/tunnel-pool.ts'
import { paint } from '../ui/colors.ts'
import type { Ui } from '../ui/ui.ts'

/** How long open connections may take to end after Ctrl-C, in milliseconds. */
const drainMs = 10_000
/** How long a release may take before we say that it goes on without us. */
const releaseMs = 30_000

/** Deletes the Intercept, waits until the Service is as it was and open connections are done. A second Ctrl-C cuts. */
export async function giveBack(
  ui: Ui,
  kube: Kube,
  hold: Hold,
  pool: TunnelPool,
  name: string,
  interrupts: Interrupts,
): Promise<void> {
  const startedAt = performance.now()
  ui.live.set(() => `giving ${name} back`)
  try {
    await hold.leave()
    let waitingFor: string | undefined
    ui.live.set(() => `giving ${name} back${waitingFor ? `: ${waitingFor}` : ''} (Ctrl-C again to leave at once)`)
    const signal = AbortSignal.any([interrupts.second, AbortSignal.timeout(releaseMs)])
    const how = await released(kube, hold.namespace, name, signal, (state) => {
      waitingFor = state
    })
    const drained = AbortSignal.any([interrupts.second, AbortSignal.timeout(drainMs)])
    while (pool.openStreams > 0 && !drained.aborted) {
      ui.live.set(() => `${pool.openStreams} open connections may finish (Ctrl-C again to cut them)`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const releaseMsTaken = Math.round(performance.now() - startedAt)
    ui.event(
      { event: 'released', intercept: hold.name, service: name, releaseMs: releaseMsTaken, shared: how === 'shared' },
      how === 'shared'
        ? `${paint.good('✔')} you left ${name}; somebody else still intercepts it`
        : `${paint.good('✔')} ${name} is back with the cluster, after ${formatDuration(releaseMsTaken)}`,
    )
  } catch (error) {
    const why = interrupts.second.aborted ? 'interrupted' : messageOf(error)
    ui.warn(
      'release-unconfirmed',
      `left without seeing ${name} given back (${why}); the proxy pods go on with it`,
      `intercept status ${name} -n ${hold.namespace}`,
    )
  } finally {
    await pool.close('now')
  }
}
