import type { InstallProgress } from '../install/progress.ts'
import { paint } from '../ui/colors.ts'
import type { Ui } from '../ui/ui.ts'

/** Shows what an installation does: a line for each change, the wait in place. */
export function tellProgress(ui: Ui): InstallProgress {
  return (event) => {
    switch (event.event) {
      case 'applied':
        ui.event({ ...event }, event.change === 'unchanged' ? undefined : `  ${event.change} ${nameOf(event.object)}`)
        return
      case 'deleted':
        ui.event({ ...event }, `  deleted ${nameOf(event.object)}`)
        return
      case 'skipped':
        ui.event({ ...event }, paint.aside(`  skipped ${nameOf(event.object)}: ${event.reason}`))
        return
      case 'released':
        ui.event({ ...event }, `  ${event.service}: ${event.step}`)
        return
      case 'waiting':
        ui.event({ ...event })
        ui.live.set(() => `waiting for ${event.for}`)
        return
      case 'rollout':
        ui.event({ ...event })
        ui.live.set(
          () => `${event.ready} of ${event.wanted} proxy pods are ready${event.detail ? `: ${event.detail}` : ''}`,
        )
        return
      default:
        event satisfies never
    }
  }
}

const nameOf = (object: { kind: string; name: string; namespace?: string | undefined }): string =>
  `${object.kind} ${object.namespace ? `${object.namespace}/` : ''}${object.name}`
