import { InterceptError } from '../../src/errors.ts'
import type { Service, ServicePort } from '../../src/kube/objects.ts'

/** `--port 8080`, `--port 8080:80`, `--port 8080:http`: a port of this machine, and which of the Service it answers. */
export interface PortOption {
  readonly local: number
  /** Number or name; undefined where only the local port was given. */
  readonly remote: string | undefined
}

/** A port of the Service and the local port that answers it. */
export interface PortMapping {
  readonly port: number
  readonly name: string | undefined
  readonly local: number
}

/** @throws InterceptError 'bad-port' */
export function parsePortOption(text: string): PortOption {
  const [local = '', remote, ...more] = text.split(':')
  const number = Number(local)
  if (!/^\d+$/.test(local) || number < 1 || number > 65_535 || more.length > 0 || remote === '') {
    throw new InterceptError('bad-port', `"${text}" is not a port`, {
      fix: '--port 8080, --port 8080:80 or --port 8080:http (local port, then the port of the Service)',
    })
  }
  return { local: number, remote }
}

/** `--port http`, `--port 80`: a port of the Service that something else than this machine answers. */
export function parseServicePort(text: string): PortOption {
  if (/^[A-Za-z0-9][-A-Za-z0-9]*$/.test(text)) return { local: 0, remote: text }
  throw new InterceptError('bad-port', `"${text}" is not a port of the Service`, {
    fix: '--port http or --port 80 (with --to: only the port of the Service)',
  })
}

/**
 * Finds the Service's port for each option. A bare local port means the Service's only TCP port, or the one of that
 * number or target. @throws InterceptError 'no-such-port', 'ambiguous-port', 'bad-port'
 */
export function mapPorts(service: Service, options: readonly PortOption[]): PortMapping[] {
  const ports = (service.spec.ports ?? []).filter((port) => (port.protocol ?? 'TCP') === 'TCP')
  // No local port is asked for where a workload answers: every port of the Service.
  if (options.length === 0) return ports.map(({ port, name }) => ({ port, name, local: 0 }))
  const mappings = options.map((option) => {
    const port = findPort(service, ports, option)
    return { port: port.port, name: port.name, local: option.local }
  })
  const twice = mappings.find((one, index) => mappings.findIndex((other) => other.port === one.port) !== index)
  if (twice) {
    throw new InterceptError('bad-port', `port ${twice.port} of Service ${service.metadata.name} is given twice`, {
      fix: 'give each port of the Service one --port',
    })
  }
  return mappings
}

function findPort(service: Service, ports: readonly ServicePort[], { local, remote }: PortOption): ServicePort {
  const name = service.metadata.name
  const [only] = ports
  if (remote !== undefined) {
    const found = ports.find((port) => port.name === remote || String(port.port) === remote)
    if (found) return found
    throw new InterceptError('no-such-port', `Service ${name} has no TCP port ${remote}: it has ${describe(ports)}`, {
      ...(only ? { fix: `--port ${local}:${only.name ?? only.port}` } : {}),
    })
  }
  if (!only) throw new InterceptError('no-such-port', `Service ${name} has no TCP port`)
  if (ports.length === 1) return only
  const byNumber = ports.filter((port) => port.port === local || port.targetPort === local)
  const [match] = byNumber
  if (match && byNumber.length === 1) return match
  throw new InterceptError('ambiguous-port', `Service ${name} has several ports: ${describe(ports)}`, {
    fix: `--port ${local}:${only.name ?? only.port}`,
  })
}

const describe = (ports: readonly ServicePort[]): string =>
  ports.length === 0
    ? 'none'
    : ports.map((port) => (port.name ? `${port.port} (${port.name})` : String(port.port))).join(', ')
