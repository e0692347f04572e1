import type { ResolverSettings } from '../../../src/dns/resolver-settings.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { childEnd, endChild, startChild } from '../../agent/child-command.ts'
import { dialLocal } from '../../agent/local-process.ts'
import type { WayIn } from '../../agent/way-in.ts'
import { paint } from '../../ui/colors.ts'
import type { Ui } from '../../ui/ui.ts'
import { ClusterDns } from '../cluster-dns.ts'
import type { Variable } from '../env/resolve.ts'
import { programEnvironment } from '../program-environment.ts'
import type { Surroundings } from '../surroundings.ts'
import { failureTeller } from '../surroundings-report.ts'
import { openPortableEnvironment, type PortableEnvironment } from './portable-environment.ts'
import { rewritingLines } from './rewriting-report.ts'

/** Names the folder in which the files of the pod lie at their paths. */
export const ROOT_VARIABLE = 'INTERCEPT_ROOT'

export interface PortableOptions {
  readonly ui: Ui
  readonly kube: Kube
  readonly way: WayIn
  readonly settings: ResolverSettings
  /** Of the pod, with what was said here. */
  readonly values: ReadonlyMap<string, Variable>
  readonly unset: readonly string[]
  /** undefined: there are none. */
  readonly filesRoot: string | undefined
}

/** Surroundings of environment variables, forwarders and proxies, on any system. @throws InterceptError, KubeError */
export async function openPortable(options: PortableOptions): Promise<Surroundings> {
  const { ui, kube, way, settings, values, unset, filesRoot } = options
  const dns = new ClusterDns(way, kube.namespace)
  const opened = await openPortableEnvironment({
    way,
    dns,
    kube,
    namespace: kube.namespace,
    environment: values,
    searches: settings.searches,
    options: settings.options,
    onFailure: failureTeller(ui),
  })
  tell(ui, opened)
  const env = programEnvironment(
    process.env,
    [...Object.entries(opened.env), ...(filesRoot === undefined ? [] : [[ROOT_VARIABLE, filesRoot] as const])],
    unset,
  )
  let child: ReturnType<typeof startChild> | undefined
  return {
    kind: 'portable',
    run: (command) => {
      child = startChild(command, env)
      return childEnd(child)
    },
    signal: (signal) => {
      child?.kill(signal)
    },
    dialLocal,
    close: async () => {
      await endChild(child)
      opened.close()
      dns.close()
    },
  }
}

/** What was rewritten, and what was not. */
function tell(ui: Ui, opened: PortableEnvironment): void {
  const { rewritten, stays, sees } = opened
  ui.event({ event: 'rewritten', rewritten, stays, sees })
  if (ui.isJson) return
  for (const line of rewritingLines(opened)) ui.event({ event: 'rewritten' }, `  ${paint.aside(line)}`)
  if (sees === 'none') {
    ui.warnAside(
      'services-unseen',
      'you may not list Services, so no variable is rewritten',
      'kubectl auth can-i list services',
    )
  }
}
