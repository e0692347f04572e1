import type { UnboundPort } from './hosts-listeners.ts'
import type { HostsPlan } from './hosts-plan.ts'

/** Something that a Service's name does not lead to, and what to type. */
export interface HostsAdvice {
  readonly code: 'port-clash' | 'port-in-use' | 'port-privileged' | 'cannot-listen'
  readonly message: string
  readonly fix: string
}

/** One for the privileged ports together, one for each other port. */
export function hostsAdvice(
  { clashes }: Pick<HostsPlan, 'clashes'>,
  unbound: readonly UnboundPort[],
  platform: NodeJS.Platform,
): HostsAdvice[] {
  // Without a number it is any free one.
  const instead = (port: number): string => (port + 10_000 <= 65_535 ? String(port + 10_000) : '')
  const forward = (service: string, port: number): string => `intercept forward svc/${service} ${instead(port)}:${port}`
  const [first, ...more] = unbound.filter(({ reason }) => reason === 'privileged')
  const privileged = first ? [privilegedAdvice([first, ...more], platform, forward(first.service, first.port))] : []
  return [
    ...clashes.map(({ service, port, takenBy }) => ({
      code: 'port-clash' as const,
      message: `${service}:${port} has no listener: ${takenBy} has port ${port} of 127.0.0.1, the only address here`,
      fix: forward(service, port),
    })),
    ...privileged,
    ...unbound
      .filter(({ reason }) => reason !== 'privileged')
      .map(({ service, address, port, reason, message }) => ({
        code: reason === 'in-use' ? ('port-in-use' as const) : ('cannot-listen' as const),
        message:
          reason === 'in-use'
            ? `${service}:${port} has no listener: another program has ${address}:${port}, or port ${port} of all addresses`
            : `${service}:${port} has no listener: ${message}`,
        fix: forward(service, port),
      })),
  ]
}

function privilegedAdvice(all: readonly UnboundPort[], platform: NodeJS.Platform, forward: string): HostsAdvice {
  const list = all.map(({ service, port }) => `${service}:${port}`).join(', ')
  const lowest = Math.min(...all.map(({ port }) => port))
  return {
    code: 'port-privileged',
    message: `no listener for ${list}: ports below 1024 need a right that you do not have`,
    fix:
      platform === 'linux'
        ? `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${lowest}   (until the next start), then again`
        : forward,
  }
}
