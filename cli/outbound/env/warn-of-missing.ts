import type { Ui } from '../../ui/ui.ts'
import type { LocalAdditions } from './local-additions.ts'
import type { PodEnvironment } from './pod-environment.ts'
import type { MissingVariable, Variable } from './resolve.ts'

/** Says which variables of a pod are missing in `values`, one warning for each reason. */
export function warnOfMissing(
  ui: Ui,
  { pod, container, notAsked, missing: all }: PodEnvironment,
  values: ReadonlyMap<string, Variable>,
  { unset }: LocalAdditions,
): void {
  const missing = all.filter(({ name }) => !values.has(name) && !unset.includes(name))
  const byReason = new Map<string, MissingVariable[]>()
  for (const one of missing) byReason.set(one.why, [...(byReason.get(one.why) ?? []), one])
  for (const [why, those] of byReason) {
    const names = those.map(({ name }) => name).join(', ')
    ui.warnAside('missing', `${names} ${those.length === 1 ? 'is' : 'are'} missing: ${why}`, those[0]?.fix)
  }
  if (notAsked && missing.length > 0) {
    ui.warnAside(
      'not-asked',
      `nor can container ${container} of pod ${pod} be asked: ${notAsked.refused}`,
      notAsked.fix,
    )
  }
}
