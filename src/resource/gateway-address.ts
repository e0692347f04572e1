import { InterceptError } from '../errors.ts'
import { TUNNEL_PATH } from './names.ts'

/** Where laptops reach the gateways past the API server: one text that leads to each replica. */
export interface GatewayAddress {
  readonly text: string
  /** Whether replicas have different addresses by it. */
  readonly tellsReplicasApart: boolean
}

const mark = '\\{(?:pod|ordinal)\\}'
const label = `(?:[A-Za-z0-9-]|${mark})+`
const host = `(?:${label}(?:\\.${label})*|\\[[0-9A-Fa-f:.]+\\])`
/** With room above for as many replicas as there can be. */
const firstPort = '(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3})'
const port = `(?:${firstPort}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])`
const path = `(?:/(?:[A-Za-z0-9._~-]|${mark})+)*/?`

/** Syntax of an address; the chart has it too, so it is a regular expression of RE2 as well. */
export const gatewayAddressPattern = `^wss://${host}(?::(?:${port}|\\{${firstPort}\\+ordinal\\}))?${path}$`
/** What can be typed. */
export const gatewayAddressExamples =
  'wss://node.example.com:{30443+ordinal}, wss://intercept.example.com/{pod} or wss://intercept-{ordinal}.example.com:8443'

const pattern = new RegExp(gatewayAddressPattern)

/**
 * `wss://HOST[:PORT][/PATH]`. `{pod}` in host and path stands for the name of a proxy pod, `{ordinal}` for its number,
 * and `{30443+ordinal}` as port for that number more. @throws InterceptError 'bad-gateway-address'
 */
export function parseGatewayAddress(text: string): GatewayAddress {
  if (pattern.test(text)) return { text, tellsReplicasApart: text.includes('{') }
  throw new InterceptError('bad-gateway-address', `"${text}" is no address of the proxy pods' gateways`, {
    fix: gatewayAddressExamples,
  })
}

/** Where carriers to one proxy pod are dialled. @param pod its name, which ends in its number */
export function gatewayUrl({ text }: GatewayAddress, pod: string): string {
  const ordinal = Number(/\d+$/.exec(pod)?.[0] ?? 0)
  const base = text
    .replace(/\{(\d+)\+ordinal\}/, (_, first: string) => String(Number(first) + ordinal))
    .replaceAll('{pod}', pod)
    .replaceAll('{ordinal}', String(ordinal))
  return `${base.replace(/\/$/, '')}${TUNNEL_PATH}`
}
