import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { type ForwardedHeader, forwardedHeaders } from '../../src/http/forwarding-fields.ts'
import { parseOutboundRule } from '../../src/resource/outbound-rule.ts'
import { parseDuration } from '../../src/units.ts'
import { type Command, type CommandContext, flagOf, type ParsedOptions, textOf, textsOf } from '../command.ts'
import { applyInstallation } from '../install/apply.ts'
import { gatewayOf, gatewayServiceTypes } from '../install/gateway-options.ts'
import { installNamespace } from '../install/namespace.ts'
import { installObjects } from '../install/objects.ts'
import { type InstallOptions, installDefaults } from '../install/options.ts'
import { previewOf } from '../install/preview-options.ts'
import { paint } from '../ui/colors.ts'
import { tellProgress } from './install-progress.ts'

/** Options that the chart's values have too. */
export const installationOptions: Command['options'] = {
  replicas: { type: 'number', help: 'Proxy pods (default: 2)' },
  image: { type: 'string', help: 'Image with Node 22 or newer (default: node:24-alpine)' },
  'only-namespace': {
    type: 'string',
    many: true,
    help: 'A namespace that the proxy may act in (default: all); repeatable',
  },
  'log-level': { type: 'string', choices: ['debug', 'info', 'warn', 'error'], help: 'Of the proxy pods' },
  'network-policy': { type: 'boolean', help: 'Add a NetworkPolicy for the proxy pods' },
  'tls-secrets': {
    type: 'boolean',
    help: 'Let the proxy pods read Secrets where they intercept: for intercepts of HTTPS (spec.tls)',
  },
  forwarded: {
    type: 'string',
    many: true,
    choices: forwardedHeaders,
    help: 'Tell requests that are looked at one by one of their way, with these headers; repeatable',
  },
  'outbound-allow': {
    type: 'string',
    many: true,
    help: 'Laptops reach only this: 10.0.0.0/8, 10.1.2.3:5432, db.example.internal:5432, *:443; repeatable',
  },
  'outbound-deny': { type: 'string', many: true, help: 'Laptops do not reach this; it wins; repeatable' },
  'gateway-address': {
    type: 'string',
    placeholder: 'ADDRESS',
    help: 'Laptops also come here, past the API server: wss://node.example.com:{30443+ordinal}, wss://intercept.example.com/{pod}',
  },
  'gateway-service': {
    type: 'string',
    choices: gatewayServiceTypes,
    help: 'A Service for each proxy pod, to which that address leads',
  },
  'gateway-node-port': { type: 'number', help: 'Node port of the first of these; of each further one the next' },
  'gateway-annotation': {
    type: 'string',
    many: true,
    placeholder: 'NAME=VALUE',
    help: 'Of these Services; repeatable',
  },
  'preview-domain': {
    type: 'string',
    placeholder: 'DOMAIN',
    help: 'NAME.DOMAIN shows --preview-service as NAME gets it, to whoever reaches it',
  },
  'preview-service': {
    type: 'string',
    placeholder: 'NAMESPACE/NAME[:PORT]',
    help: 'What preview hosts show (port: 80)',
  },
  'preview-host': { type: 'string', help: 'Host that it is asked with (default: the one that the browser named)' },
  'no-whole-service': {
    type: 'boolean',
    help: 'Every intercept must say which requests it takes (--as, --header …); all of them are for intercept-admin',
  },
}

export const install: Command = {
  usage: 'install',
  help: 'Install or upgrade the proxy pods in the cluster',
  options: {
    ...installationOptions,
    'dry-run': { type: 'boolean', help: 'Change nothing; -o yaml prints the objects' },
    timeout: { type: 'string', default: '3m', help: 'How long to wait for the pods' },
  },
  examples: [
    ['intercept install', 'two proxy pods in intercept-system'],
    ['intercept install --dry-run -o yaml', 'the objects, for review or for GitOps'],
  ],
  run: async (context, options) => {
    const { ui } = context
    const chosen = chosenOptions(context, options)
    if (flagOf(options, 'dry-run') && ui.format !== 'text') {
      const objects = [installNamespace(context.global.systemNamespace), ...installObjects(chosen, proxyBundle())]
      if (ui.isJson) ui.result({ apiVersion: 'v1', kind: 'List', items: objects }, () => '')
      else ui.raw(objects.map((object) => `---\n${stringify(object)}`).join(''))
      return 0
    }
    await runInstall(context, chosen, {
      dryRun: flagOf(options, 'dry-run'),
      timeoutMs: parseDuration(textOf(options, 'timeout') ?? '3m'),
    })
    return 0
  },
}

/** Installs with progress on the screen. */
export async function runInstall(
  { ui, kube, global }: CommandContext,
  chosen: Partial<InstallOptions>,
  how: { dryRun?: boolean; timeoutMs?: number } = {},
): Promise<void> {
  const startedAt = performance.now()
  const client = await kube()
  ui.live.set(() => `installing into ${global.systemNamespace} of ${client.context}`)
  await applyInstallation(client, chosen, proxyBundle(), { ...how, progress: tellProgress(ui) })
  ui.live.clear()
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  ui.event(
    {
      event: 'installed',
      namespace: global.systemNamespace,
      version: process.env.INTERCEPT_VERSION,
      dryRun: how.dryRun ?? false,
    },
    how.dryRun
      ? `${paint.good('✔')} the cluster would accept everything; nothing was changed`
      : `${paint.good('✔')} installed into ${global.systemNamespace} in ${seconds} s; next: intercept svc/NAME --port PORT`,
  )
}

function chosenOptions({ global }: CommandContext, options: ParsedOptions): Partial<InstallOptions> {
  const image = textOf(options, 'image')
  const logLevel = textOf(options, 'log-level')
  const namespaces = textsOf(options, 'only-namespace')
  const forwarded = textsOf(options, 'forwarded')
  const [allow = [], deny = []] = ['outbound-allow', 'outbound-deny'].map((name) =>
    textsOf(options, name).map((rule) => parseOutboundRule(rule).text),
  )
  const preview = previewOf({
    domain: textOf(options, 'preview-domain'),
    service: textOf(options, 'preview-service'),
    host: textOf(options, 'preview-host'),
    namespaces,
  })
  const gateway = gatewayOf({
    address: textOf(options, 'gateway-address'),
    type: textOf(options, 'gateway-service'),
    nodePort: textOf(options, 'gateway-node-port'),
    annotations: textsOf(options, 'gateway-annotation'),
    replicas: Number(options.replicas ?? installDefaults.replicas),
  })
  return {
    namespace: global.systemNamespace,
    ...(options.replicas === undefined ? {} : { replicas: Number(options.replicas) }),
    ...(image ? { image } : {}),
    ...(logLevel ? { logLevel } : {}),
    ...(namespaces.length > 0 ? { namespaces } : {}),
    ...(flagOf(options, 'network-policy') ? { networkPolicy: { enabled: true } } : {}),
    ...(flagOf(options, 'tls-secrets') ? { tlsSecrets: true } : {}),
    ...(forwarded.length > 0 ? { forwardedHeaders: forwarded as ForwardedHeader[] } : {}),
    ...(allow.length + deny.length > 0 ? { outbound: { allow, deny } } : {}),
    ...(gateway ? { gateway } : {}),
    ...(preview ? { preview } : {}),
    ...(flagOf(options, 'no-whole-service') ? { wholeServiceIntercepts: false } : {}),
  }
}

/** The proxy pod's JavaScript, gzipped; made by the build, beside the chart that uses it too. */
export function proxyBundle(): Buffer {
  return readFileSync(new URL('../charts/intercept/files/proxy-pod.js.gz', import.meta.url))
}
