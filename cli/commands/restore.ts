import { InterceptError } from '../../src/errors.ts'
import { isKubeError } from '../../src/kube/error.ts'
import { services } from '../../src/kube/resources.ts'
import { type Intercept, interceptType } from '../../src/resource/intercept.ts'
import { restore, touchedServices } from '../../src/takeover/restore.ts'
import { type Command, flagOf, textOf } from '../command.ts'
import { paint } from '../ui/colors.ts'

export const restoreCommand: Command = {
  usage: 'restore [service]',
  help: 'Repair Services with nothing of intercept alive in the cluster',
  details:
    'Deletes the Intercepts of the Service, gives it its selector back, waits for its endpoints, and removes what the proxy pods left. Needs the right to change Services.',
  options: {
    all: { type: 'boolean', help: 'Every Service of the namespace' },
    'all-namespaces': { type: 'boolean', alias: 'A', help: 'With --all: of every namespace' },
  },
  async run({ ui, kube }, options) {
    const client = await kube()
    const name = textOf(options, 'service')?.replace(/^(svc|service|services)\//, '')
    if ((name === undefined) === !flagOf(options, 'all')) {
      throw new InterceptError('usage', 'which Service?', {
        fix: 'intercept restore svc/NAME, or intercept restore --all',
      })
    }
    const namespace = flagOf(options, 'all-namespaces') ? undefined : client.namespace
    if (name !== undefined) await client.get(services, namespace, name)
    const intercepts = await client.list<Intercept>(interceptType, { namespace }).catch((error: unknown) => {
      // Without the CRD there are none, and the Services may need repair all the same.
      if (isKubeError(error, 'not-found')) return []
      throw error
    })
    for (const { metadata, spec } of intercepts) {
      if (name !== undefined && spec.service !== name) continue
      await client.delete(interceptType, metadata.namespace, metadata.name)
      ui.event({ event: 'deleted', intercept: metadata.name }, `deleted Intercept ${metadata.name} of ${spec.holder}`)
    }
    const touched =
      name !== undefined
        ? [`${namespace}/${name}`]
        : (await touchedServices(client, namespace)).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
    for (const key of touched) {
      const [at = '', service = ''] = key.split('/')
      await restore(client, at, service, (_service, step) =>
        ui.event({ event: 'step', service: key, step: step.kind }, `  ${step.kind}`),
      )
      ui.event({ event: 'restored', service: key }, `${paint.good('✔')} ${key} is as it was`)
    }
    if (touched.length === 0) ui.event({ event: 'nothing-to-restore' }, 'nothing of intercept is at any Service')
    return 0
  },
}
