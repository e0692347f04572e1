import { WayIn } from '../../../cli/agent/way-in.ts'
import { Ui } from '../../../cli/ui/ui.ts'
import { connectKube } from '../../../src/kube/index.ts'
import type { ConnectionSpec } from '../../../src/resource/connection.ts'
import { DEFAULT_SYSTEM_NAMESPACE } from '../../../src/resource/names.ts'
import { Output } from '../../cli/support/output.ts'

/** A way into the cluster as a command opens it, in this process. To be closed. */
export async function wayIn(kubeconfig: string, namespace: string, reach: ConnectionSpec['reach']): Promise<WayIn> {
  const kube = await connectKube({ kubeconfig, namespace })
  const { username } = await kube.whoAmI()
  const global = { namespace, context: undefined, kubeconfig, systemNamespace: DEFAULT_SYSTEM_NAMESPACE }
  const context = { ui: new Ui('json', new Output(), new Output()), global, kube: async () => kube, rest: [] }
  const options = { reach, holder: username, purpose: 'test' }
  return WayIn.open(context, kube, options, AbortSignal.timeout(30_000))
}
