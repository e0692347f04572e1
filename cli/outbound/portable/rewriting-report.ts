import type { StayReason } from './found-address.ts'
import type { PortableEnvironment } from './portable-environment.ts'

/** Why an address stays, and what leads there all the same. */
const reasons: Readonly<Record<StayReason, string>> = {
  https: 'its certificate is for that name; HTTPS_PROXY and the Node preload lead there',
  tls: 'its certificate is for that name; ALL_PROXY and the Node preload lead there',
  srv: 'it is looked up as an SRV record; the Node preload leads there',
  'no-port': 'no variable says its port; ALL_PROXY and the Node preload lead there',
  unclear: 'the variables beside it do not say one address; ALL_PROXY and the Node preload lead there',
}

/**
 * What was rewritten, and what was not, for people: a line each, the many links to Services in one. Addresses only, so
 * no secret of a value.
 */
export function rewritingLines({ rewritten, stays }: Pick<PortableEnvironment, 'rewritten' | 'stays'>): string[] {
  const links = new Set(rewritten.filter(({ source }) => source === 'service').map(({ variable }) => variable))
  return [
    ...rewritten
      .filter(({ source }) => source !== 'service')
      .map(({ variable, from, to }) => `${variable}: ${from} -> ${to}`),
    ...(links.size > 0 ? [`${links.size} ${links.size === 1 ? 'variable' : 'variables'} of links to Services`] : []),
    ...stays
      .filter(({ source }) => source !== 'service')
      .map(({ variable, address, reason }) => `${variable}: ${address} stays: ${reasons[reason]}`),
  ]
}
