import { createInterface } from 'node:readline/promises'
import { InterceptError } from '../../src/errors.ts'
import type { Kube } from '../../src/kube/types.ts'
import type { CommandContext } from '../command.ts'
import { runInstall } from './install.ts'

/**
 * Installs where the person may and says yes. @throws InterceptError 'not-installed', with what an administrator types
 * where she may not, and with what she types herself where nobody can be asked
 */
export async function offerInstall(context: CommandContext, cause: unknown): Promise<void> {
  const { ui, global } = context
  const kube = await context.kube()
  const where = `in this cluster (${kube.context}, namespace ${global.systemNamespace})`
  const missing = await missingRights(kube)
  if (missing.length > 0) {
    throw new InterceptError(
      'not-installed',
      `intercept is not installed ${where}, and you may not: ${missing.join(', ')}`,
      {
        fix: 'An administrator types: npx svc-intercept install',
        cause,
      },
    )
  }
  if (ui.format !== 'text' || !process.stdin.isTTY || !process.stdout.isTTY) {
    throw new InterceptError('not-installed', `intercept is not installed ${where}`, {
      fix: 'intercept install',
      cause,
    })
  }
  ui.live.clear()
  const prompt = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await prompt.question(`intercept is not installed ${where}. Install it now? [Y/n] `)
  prompt.close()
  if (!/^(y|yes|)$/i.test(answer.trim())) {
    throw new InterceptError('not-installed', 'nothing was changed', { fix: 'intercept install', cause })
  }
  await runInstall(context, { namespace: global.systemNamespace })
}

/** The rights that an installation needs and that are telling; empty where all are there. */
async function missingRights(kube: Kube): Promise<string[]> {
  const needed = [
    { verb: 'create', group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
    { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
    { verb: 'create', resource: 'namespaces' },
  ]
  const allowed = await Promise.all(needed.map((access) => kube.may(access)))
  return needed.filter((_access, index) => !allowed[index]).map(({ verb, resource }) => `${verb} ${resource}`)
}
