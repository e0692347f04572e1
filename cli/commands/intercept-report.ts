import { describeMatch } from '../../src/match/describe.ts'
import type { Intercept } from '../../src/resource/intercept.ts'
import { formatDuration } from '../../src/units.ts'
import type { Hold } from '../agent/hold.ts'
import type { PortMapping } from '../agent/ports.ts'
import type { TunnelChange, TunnelPool } from '../agent/tunnel-pool.ts'
import { paint } from '../ui/colors.ts'
import type { Ui } from '../ui/ui.ts'

/** Releases that differ may still speak the same tunnel: then it is worth a word, no more. */
export function warnOfSkew(ui: Ui, versions: readonly string[]): void {
  const own = process.env.INTERCEPT_VERSION
  const others = versions.filter((version) => version !== own)
  if (others.length === 0) return
  ui.warn(
    'version-differs',
    `this is intercept ${own}, the proxy pods run ${others.join(', ')}`,
    'intercept install   (upgrades the proxy pods), or npm install -g svc-intercept@VERSION',
  )
}

/** Who is taken over, via which carrier, from which replicas. */
export function announce(
  ui: Ui,
  facts: {
    name: string
    namespace: string
    ports: readonly PortMapping[]
    pool: TunnelPool
    hold: Hold
    totalMs: number
    /** The Intercept as the controller reported it. */
    taken: Intercept
    mode: 'intercept' | 'mirror'
  },
): void {
  const { name, namespace, ports, pool, hold, totalMs, taken, mode } = facts
  const match = describeMatch(taken.spec.match)
  const what = taken.spec.match === undefined ? '' : paint.aside(`  ${match}`)
  const arrow = mode === 'mirror' ? '⇢ copies to' : '→'
  ui.event(
    {
      event: 'active',
      intercept: hold.name,
      namespace,
      service: name,
      ports,
      replicas: pool.connected,
      carrier: pool.route,
      mode,
      match,
      takeoverMs: taken.status?.takeoverMs,
      totalMs: Math.round(totalMs),
    },
    [
      ...ports.map(
        ({ port, name: portName, local }) =>
          `${paint.good('✔')} ${paint.name(`${name}.${namespace}`)}:${port}${portName ? ` (${portName})` : ''} ${arrow} ${paint.laptop(`localhost:${local}`)}${what}`,
      ),
      paint.aside(
        `  in ${formatDuration(totalMs)}, via ${pool.route ?? 'no carrier'}, from ${pool.connected.join(', ') || 'no proxy pod'}; Intercept ${hold.name}`,
      ),
      paint.aside('  Ctrl-C gives it back'),
    ].join('\n'),
  )
}

/** What happened to a tunnel, and how long it took. */
export function tellTunnel(ui: Ui, replica: string, state: string, detail: TunnelChange): void {
  const { reason, downMs, carrier } = detail
  const event = {
    event: 'tunnel',
    replica,
    state,
    ...(reason ? { reason } : {}),
    ...(downMs === undefined ? {} : { downMs: Math.round(downMs) }),
    ...(carrier ? { carrier } : {}),
  }
  if (state === 'up' && downMs !== undefined) {
    ui.event(
      event,
      `${paint.good('✔')} reconnected to ${replica} after ${formatDuration(downMs)}${carrier ? `, via ${carrier}` : ''}`,
    )
  } else if (state === 'down') {
    ui.event(
      event,
      `${paint.attention('!')} lost ${replica}${reason ? ` (${reason})` : ''}: new requests go to the cluster's own pods until it is back`,
    )
  } else if (state === 'closed' && reason) {
    ui.event(event, `${paint.attention('!')} the tunnel to ${replica} is closed: ${reason}`)
  } else ui.event(event)
}

const whenDown = {
  origin: "the cluster's own pods answer",
  hold: "the cluster's own pods answer",
  fail: 'the connection fails',
}

/** The local process did not accept, and what becomes of the connection. */
export function tellLocalDown(ui: Ui, local: number, reason: string, onLocalDown: keyof typeof whenDown): void {
  ui.warn('local-down', `nothing answers on localhost:${local} (${reason}); ${whenDown[onLocalDown]}`)
}
