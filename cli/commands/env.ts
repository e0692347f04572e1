import { type Command, type CommandContext, flagOf, type ParsedOptions, textOf } from '../command.ts'
import { containerOption, environmentOptions, localAdditions } from '../outbound/env/environment-options.ts'
import { type EnvironmentFormat, formats, writeEnvironment } from '../outbound/env/formats.ts'
import { withLocal } from '../outbound/env/local-additions.ts'
import { podEnvironment } from '../outbound/env/pod-environment.ts'
import { parsePodTarget } from '../outbound/env/pod-target.ts'
import type { Variable } from '../outbound/env/resolve.ts'
import { warnOfMissing } from '../outbound/env/warn-of-missing.ts'
import { printable } from '../ui/printable.ts'

const mask = '••••••'

export const env: Command = {
  usage: 'env <target>',
  help: "Print the environment of a Service's pods",
  details:
    'As a container of the Service has it that starts now: values, ConfigMaps, Secrets, fields of the pod, links to Services. What you may not read is taken from the running pod, where you may run commands in it.',
  options: {
    container: containerOption,
    output: { type: 'string', alias: 'o', help: 'How it is written', choices: formats, default: 'dotenv' },
    'show-secrets': { type: 'boolean', help: 'Also on a terminal, print values that come from Secrets' },
    ...environmentOptions,
  },
  examples: [
    ['intercept env svc/orders > .env', 'for programs that read dotenv files'],
    ['eval "$(intercept env svc/orders -o shell)"', 'into this shell'],
    ['intercept env deploy/orders --unset PORT --set LOG_LEVEL=debug', 'with changes of your own'],
  ],
  async run(context, options) {
    const kube = await context.kube()
    const local = await localAdditions(options)
    const target = parsePodTarget(textOf(options, 'target') ?? '')
    const found = await podEnvironment(kube, kube.namespace, target, { container: textOf(options, 'container') })
    const values = withLocal(found.values, local)
    print(context, options, values)
    warnOfMissing(context.ui, found, values, local)
    return 0
  },
}

function print({ ui }: CommandContext, options: ParsedOptions, values: ReadonlyMap<string, Variable>): void {
  const isMasked = ui.isTerminal && !flagOf(options, 'show-secrets')
  const shown = new Map(
    [...values]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { value, source }]) => [name, isMasked && source === 'secret' ? mask : value]),
  )
  const { text, left } = writeEnvironment(shown, textOf(options, 'output') as EnvironmentFormat)
  ui.raw(ui.isTerminal ? printable(text) : text)
  for (const { name, why } of left) ui.warnAside('not-written', `${name} is left out: ${why}`, '-o json')
}
