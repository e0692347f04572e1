import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { runCli } from './cli.ts'
import type { ClusterDriver } from './cluster.ts'

const exec = promisify(execFile)
const launcher = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'cluster', 'laptop')

/** Where the launcher keeps the process id of the API server that it started. */
const apiServerPidFile = join(process.env.CLUSTER_DIR ?? '/var/tmp/intercept-cluster', 'pids', 'kube-apiserver')

/** The cluster of KUBECONFIG. Where its launcher is at hand, the CLI runs on a laptop of its own behind a link. */
export async function kubeconfigDriver(): Promise<ClusterDriver> {
  const kubeconfig = process.env.KUBECONFIG
  if (!kubeconfig) throw new Error('npm run test:cluster needs KUBECONFIG: a cluster where you may do anything')
  // Names are the machine's: clusters beside each other have a laptop each.
  const name = ['e2e', ...(process.env.CLUSTER_DIR ? [basename(process.env.CLUSTER_DIR)] : [])].join('-').slice(0, 12)
  const hasLaptop = existsSync(launcher) && process.getuid?.() === 0
  if (hasLaptop) {
    await exec(launcher, ['down', name])
    await exec(launcher, ['up', name])
  }
  const apiServerPid = hasLaptop ? Number(readFileSync(apiServerPidFile, 'utf8').split(' ')[0]) : undefined
  // INTERCEPT_TEST_INSTALLED: it is there already, as this checkout has it.
  const installed = process.env.INTERCEPT_TEST_INSTALLED ? undefined : await runCli(['install'], { kubeconfig })
  if (installed && installed.code !== 0)
    throw new Error(`intercept install failed:\n${installed.stdout}${installed.stderr}`)
  return {
    kind: 'kubeconfig',
    kubeconfig,
    laptop: hasLaptop ? [launcher, 'run', name] : [],
    ...(hasLaptop
      ? { link: { set: async (...options: string[]) => void (await exec(launcher, ['link', name, ...options])) } }
      : {}),
    ...(apiServerPid === undefined
      ? {}
      : {
          pauseApi: async () => {
            process.kill(apiServerPid, 'SIGSTOP')
            return async () => void process.kill(apiServerPid, 'SIGCONT')
          },
        }),
    address: (service, port) => ({ host: `${service.metadata.name}.${service.metadata.namespace}.svc`, port }),
    stop: async () => {
      if (hasLaptop) await exec(launcher, ['down', name])
    },
  }
}
