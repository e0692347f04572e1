import { InterceptError } from '../../src/errors.ts'
import { gatewayAddressExamples, parseGatewayAddress } from '../../src/resource/gateway-address.ts'
import type { GatewayValues } from './options.ts'

export const gatewayServiceTypes = ['ClusterIP', 'NodePort', 'LoadBalancer'] as const

const maxNodePort = 65_504

/** The way past the API server as asked for on the command line; undefined: none. @throws InterceptError */
export function gatewayOf(asked: {
  readonly address: string | undefined
  /** One of `gatewayServiceTypes`. */
  readonly type: string | undefined
  readonly nodePort: string | undefined
  /** NAME=VALUE. */
  readonly annotations: readonly string[]
  readonly replicas: number
}): GatewayValues | undefined {
  const { address = '', replicas } = asked
  const nodePort = nodePortOf(asked.nodePort)
  const type = gatewayServiceTypes.find((one) => one === asked.type) ?? (nodePort > 0 ? 'NodePort' : '')
  if (address !== '' && !parseGatewayAddress(address).tellsReplicasApart && replicas > 1) {
    throw new InterceptError('bad-gateway-address', `"${address}" leads to one proxy pod, there are ${replicas}`, {
      fix: gatewayAddressExamples,
    })
  }
  if (type === 'NodePort' && nodePort === 0) throw wrong('--gateway-node-port is missing')
  if (type === 'ClusterIP' && nodePort > 0) throw wrong('a Service of type ClusterIP has no --gateway-node-port')
  const annotations = Object.fromEntries(asked.annotations.map(annotationOf))
  if (type === '' && asked.annotations.length > 0) throw wrong('--gateway-annotation is for a --gateway-service')
  return address === '' && type === '' ? undefined : { address, service: { type, nodePort, annotations } }
}

function nodePortOf(text: string | undefined): number {
  const port = Number(text ?? 0)
  if (text === undefined || (Number.isInteger(port) && port > 0 && port <= maxNodePort)) return port
  throw wrong(`"${text}" is no node port`)
}

function annotationOf(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw wrong(`--gateway-annotation "${text}" is not NAME=VALUE`)
  return [text.slice(0, at), text.slice(at + 1)]
}

const wrong = (message: string): InterceptError =>
  new InterceptError('usage', `the way past the API server: ${message}`, {
    fix: "intercept install --gateway-address 'wss://node.example.com:{30443+ordinal}' --gateway-node-port 30443",
  })
