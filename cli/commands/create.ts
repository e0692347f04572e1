import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { text as readAll } from 'node:stream/consumers'
import { parseAllDocuments } from 'yaml'
import { InterceptError, messageOf } from '../../src/errors.ts'
import { isKubeError } from '../../src/kube/error.ts'
import type { Kube } from '../../src/kube/types.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import { parseIntercept } from '../../src/resource/parse.ts'
import { parseDuration } from '../../src/units.ts'
import { Hold } from '../agent/hold.ts'
import { type Command, textOf } from '../command.ts'
import { paint } from '../ui/colors.ts'

export const create: Command = {
  usage: 'create',
  help: 'Create Intercepts from a file: requests go to a workload of the cluster, with no laptop',
  details:
    'For CI and GitOps. Each Intercept of the file names a workload (spec.to). Its holder and client are filled in; it stays until it is deleted, or until spec.ttlSeconds are over.',
  options: {
    filename: { type: 'string', alias: 'f', help: 'YAML or JSON with one or more Intercepts; - is standard input' },
    wait: { type: 'string', default: '60s', help: 'How long to wait until they are active' },
  },
  examples: [['intercept create -f preview.yaml -n shop', "a pull request's workload answers its own requests"]],
  async run({ ui, kube }, options) {
    const file = textOf(options, 'filename')
    if (file === undefined) {
      throw new InterceptError('usage', 'which file? --filename is missing', { fix: 'intercept create -f FILE' })
    }
    const waitMs = parseDuration(textOf(options, 'wait') ?? '60s')
    const documents = documentsOf(await contentOf(file), file)
    const client = await kube()
    const { username } = await client.whoAmI()
    const intercepts = documents.map((document) => complete(document, client.namespace, username))
    for (const intercept of intercepts) {
      const hold = await make(client, intercept)
      const { namespace, name } = intercept.metadata
      ui.live.set(() => `taking over ${intercept.spec.service}: ${hold.current?.status?.message ?? ''}`)
      try {
        await hold.takenOver(AbortSignal.timeout(waitMs))
      } finally {
        hold.stop()
        ui.live.clear()
      }
      ui.event(
        { event: 'active', intercept: name, namespace, service: intercept.spec.service, to: intercept.spec.to },
        `${paint.good('✔')} ${intercept.spec.service}.${namespace} → ${intercept.spec.to?.kind} ${intercept.spec.to?.name}; Intercept ${name}`,
      )
    }
    return 0
  },
}

async function contentOf(file: string): Promise<string> {
  if (file === '-') return readAll(process.stdin)
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InterceptError('unreadable-file', `cannot read ${file}: ${messageOf(cause)}`, { cause })
  })
}

/** @throws InterceptError 'bad-yaml' */
function documentsOf(content: string, file: string): unknown[] {
  const documents = parseAllDocuments(content)
  const found = [documents].flat().map((document) => {
    const [error] = document.errors
    if (error) throw new InterceptError('bad-yaml', `${file}: ${error.message}`, { cause: error })
    return document.toJS() as unknown
  })
  const objects = found.filter((document) => document !== null)
  if (objects.length === 0) throw new InterceptError('bad-yaml', `${file}: there is no Intercept in it`)
  return objects
}

/** With what people leave out. @throws InterceptInvalidError; InterceptError 'no-workload' */
function complete(document: unknown, namespace: string, holder: string): Intercept {
  const object = (document ?? {}) as { metadata?: object; spec?: object }
  const intercept = parseIntercept({
    ...object,
    metadata: { namespace, ...object.metadata },
    spec: {
      holder,
      client: { version: process.env.INTERCEPT_VERSION ?? '0.0.0', host: hostname().slice(0, 253) },
      ...object.spec,
    },
  })
  if (!intercept.spec.to) {
    throw new InterceptError(
      'no-workload',
      `Intercept ${intercept.metadata.name}: spec.to is missing; a laptop that answers holds its own Intercept`,
      { fix: `intercept svc/${intercept.spec.service} --port 8080` },
    )
  }
  return intercept
}

/** @throws InterceptError 'not-installed', 'exists' */
async function make(kube: Kube, intercept: Intercept): Promise<Hold> {
  try {
    return Hold.of(kube, await kube.create<Intercept>(interceptType, intercept))
  } catch (error) {
    const { namespace, name } = intercept.metadata
    if (isKubeError(error, 'not-found')) {
      throw new InterceptError('not-installed', 'intercept is not installed in this cluster', {
        cause: error,
        fix: 'intercept install',
      })
    }
    if (!isKubeError(error, 'already-exists')) throw error
    throw new InterceptError('exists', `there is already an Intercept ${namespace}/${name}`, {
      cause: error,
      fix: `intercept leave ${name} -n ${namespace}`,
    })
  }
}
