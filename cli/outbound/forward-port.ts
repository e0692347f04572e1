import { InterceptError } from '../../src/errors.ts'
import type { Service } from '../../src/kube/objects.ts'

/** `5432`, `15432:5432`, `:5432`, `15432:postgres`: a port of this machine, and the one that it leads to. */
export interface ForwardPort {
  /** 0 for any free one. */
  readonly local: number
  /** Number or name. */
  readonly remote: string
}

/** @throws InterceptError 'bad-port' */
export function parseForwardPort(text: string): ForwardPort {
  const [, local, remote] = /^(?:(\d*):)?([A-Za-z0-9][-A-Za-z0-9]*)$/.exec(text) ?? []
  const isNumber = /^\d+$/.test(remote ?? '')
  const inRange = (port: number): boolean => port >= 0 && port <= 65_535
  if (
    remote === undefined ||
    (isNumber && (Number(remote) < 1 || !inRange(Number(remote)))) ||
    !inRange(Number(local ?? 0))
  ) {
    throw new InterceptError('bad-port', `"${text}" is not a port`, {
      fix: '5432, 15432:5432, :5432 (any free one here) or 15432:postgres (by its name in the Service)',
    })
  }
  // A name says nothing about the number here.
  return { local: local === undefined ? (isNumber ? Number(remote) : 0) : Number(local || 0), remote }
}

/** The number of that port of the Service. @throws InterceptError 'no-such-port' */
export function servicePortOf(service: Service, remote: string): number {
  const tcp = (service.spec.ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP')
  const found = tcp.find(({ name, port }) => name === remote || String(port) === remote)
  if (found) return found.port
  const list = tcp.map(({ name, port }) => (name ? `${port} (${name})` : String(port))).join(', ') || 'none'
  const { name, namespace = 'default' } = service.metadata
  throw new InterceptError(
    'no-such-port',
    `Service ${namespace}/${name} has no TCP port ${remote}; its ports: ${list}`,
    {
      ...(tcp[0] ? { fix: `intercept forward svc/${name} ${tcp[0].port} -n ${namespace}` } : {}),
    },
  )
}
