import type { Pod } from '../../src/kube/objects.ts'
import { pods } from '../../src/kube/resources.ts'
import { APP_NAME_LABEL, PROXY_NAME } from '../../src/resource/names.ts'
import { type Command, flagOf } from '../command.ts'

export const version: Command = {
  usage: 'version',
  help: 'Versions of this command and of the proxy pods',
  options: { client: { type: 'boolean', help: 'Do not ask the cluster' } },
  async run({ ui, kube, global }, options) {
    const client = process.env.INTERCEPT_VERSION
    if (flagOf(options, 'client')) {
      ui.result({ client }, () => `intercept ${client}`)
      return 0
    }
    const found = await (await kube()).list<Pod>(pods, {
      namespace: global.systemNamespace,
      labelSelector: `${APP_NAME_LABEL}=${PROXY_NAME}`,
    })
    const proxies = found.map((pod) => ({
      pod: pod.metadata.name,
      version: pod.metadata.labels?.['app.kubernetes.io/version'] ?? 'unknown',
    }))
    ui.result({ client, proxies }, () =>
      [
        `intercept ${client}`,
        ...(proxies.length > 0 ? proxies.map((one) => `${one.pod} ${one.version}`) : ['not installed in this cluster']),
      ].join('\n'),
    )
    return 0
  },
}
