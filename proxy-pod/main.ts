import { collectInOneGo } from '../src/collect-in-one-go.ts'
import { messageOf } from '../src/errors.ts'
import { connectInCluster } from '../src/kube/connect-in-cluster.ts'
import { createLog } from '../src/log.ts'
import { configFrom } from './config.ts'
import { ProxyPod } from './proxy-pod.ts'
import { releaseAll } from './release-all.ts'

collectInOneGo()
const config = configFrom(process.env)
const log = createLog(config.logLevel, { pod: config.pod.name })
const kube = await connectInCluster()

/** Nothing of ours may run on in an unknown state: the kubelet starts the container anew. */
process.on('uncaughtException', (error) => {
  log.error({ err: error }, `bug: ${messageOf(error)}`)
  process.exitCode = 1
  setTimeout(() => process.exit(1), 50)
})

if (process.argv.includes('release-all')) {
  await releaseAll(kube, config.namespaces, log)
  process.exit(0)
}
const proxyPod = new ProxyPod(kube, config, log)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void proxyPod.leave().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, `could not leave in order: ${messageOf(error)}`)
        process.exit(1)
      },
    )
  })
}
await proxyPod.start()
