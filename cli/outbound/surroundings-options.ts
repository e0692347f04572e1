import type { OptionSpec } from '../command.ts'
import { containerOption, environmentOptions } from './env/environment-options.ts'

/** How far a command's connections lead. */
export const reachOption: OptionSpec = {
  type: 'string',
  choices: ['namespace', 'anywhere'],
  help: 'How far connections lead: Services of the namespace, or whatever the proxy pods reach (default, where you may)',
}

export const portableOption: OptionSpec = {
  type: 'boolean',
  help: 'By environment variables and proxies, as on macOS; no namespaces of Linux',
}

/** What a command after `--` can be given of a pod. */
export const surroundingsOptions: Readonly<Record<string, OptionSpec>> = {
  container: containerOption,
  ...environmentOptions,
  'mount-pvc': { type: 'boolean', help: 'Copy persistent volumes out of the running pod, read-only' },
  reach: reachOption,
  portable: portableOption,
}
