import { InterceptError } from '../../src/errors.ts'
import type { InterceptSpec, InterceptWorkload, Match } from '../../src/resource/intercept.ts'
import { parseDuration } from '../../src/units.ts'
import { flagOf, type ParsedOptions, textOf, textsOf } from '../command.ts'
import { matchFrom } from './match-from.ts'
import { type PortOption, parsePortOption, parseServicePort } from './ports.ts'
import { parseTarget, type Target } from './target.ts'

/** What the options of an intercept say. */
export interface Chosen {
  readonly target: Target
  readonly ports: readonly PortOption[]
  /** Undefined: everything. */
  readonly match: Match | undefined
  readonly mode: 'intercept' | 'mirror'
  readonly tls: InterceptSpec['tls']
  readonly onLocalDown: 'origin' | 'hold' | 'fail'
  readonly holdSeconds: number
  /** Undefined: the usual one. */
  readonly ttlSeconds: number | undefined
  /** What answers instead of this machine. */
  readonly to: InterceptWorkload | undefined
  /** The command ends, the Intercept stays. */
  readonly detach: boolean
  /** Undefined: do not wait for the local port. */
  readonly waitMs: number | undefined
}

/** @throws InterceptError 'usage', 'bad-target', 'bad-port', 'bad-duration', 'bad-match' */
export function chosenFrom(options: ParsedOptions): Chosen {
  const target = parseTarget(textOf(options, 'target') ?? '')
  const to = workloadFrom(textOf(options, 'to'))
  const given = textsOf(options, 'port')
  const ports = to ? given.map(parseServicePort) : given.map(parsePortOption)
  const typed = `intercept ${textOf(options, 'target')}`
  if (!to && ports.length === 0) {
    throw new InterceptError('usage', 'which local port answers? --port is missing', { fix: `${typed} --port 8080` })
  }
  const detach = flagOf(options, 'detach')
  if (detach && !to) {
    throw new InterceptError('usage', 'without this command nothing answers here: --detach goes with --to', {
      fix: `${typed} --to svc/NAME --detach`,
    })
  }
  if (to && to.kind === 'Service' && to.name === target.name && target.kind === 'service') {
    throw new InterceptError('usage', `--to ${textOf(options, 'to')}: that is the Service itself`, {
      fix: `${typed} --to svc/ANOTHER`,
    })
  }
  const seconds = (name: string): number | undefined => {
    const text = textOf(options, name)
    return text === undefined ? undefined : Math.round(parseDuration(text) / 1000)
  }
  const ttlSeconds = seconds('ttl')
  const secretName = textOf(options, 'tls-secret')
  const match = matchFrom(options)
  const isMirror = flagOf(options, 'mirror')
  if (flagOf(options, 'tls-local') && secretName === undefined) {
    throw new InterceptError('usage', '--tls-local says how the requests go on that --tls-secret lets us see', {
      fix: `${typed} --tls-secret NAME --tls-local`,
    })
  }
  if (secretName !== undefined && match === undefined && !isMirror) {
    throw new InterceptError(
      'usage',
      '--tls-secret needs a match: an intercept of everything passes TLS on as it is, to a local process that speaks it',
      { fix: `${typed} --tls-secret ${secretName} --as NAME` },
    )
  }
  return {
    target,
    ports,
    match,
    mode: isMirror ? 'mirror' : 'intercept',
    tls: secretName === undefined ? undefined : { secretName, toLocal: flagOf(options, 'tls-local') },
    onLocalDown: (textOf(options, 'on-local-down') ?? 'origin') as Chosen['onLocalDown'],
    holdSeconds: seconds('hold') ?? 10,
    ttlSeconds: ttlSeconds === undefined ? undefined : Math.max(10, ttlSeconds),
    to,
    detach,
    waitMs: options.wait === undefined ? undefined : parseDuration(textOf(options, 'wait') || '60s'),
  }
}

/** What of it stands in the Intercept. */
export function specOf({ match, mode, tls, onLocalDown, holdSeconds, ttlSeconds, to }: Chosen) {
  return {
    mode,
    onLocalDown,
    holdSeconds,
    ...(match === undefined ? {} : { match }),
    ...(tls === undefined ? {} : { tls }),
    ...(to === undefined ? {} : { to }),
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
  }
}

const kinds: Readonly<Record<string, InterceptWorkload['kind']>> = {
  svc: 'Service',
  service: 'Service',
  pod: 'Pod',
  po: 'Pod',
}

/** `svc/orders-pr-7`, `svc/orders-pr-7:8080`, `pod/orders-0`. */
function workloadFrom(text: string | undefined): InterceptWorkload | undefined {
  if (text === undefined) return undefined
  const found = /^(?:([a-z]+)\/)?([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)(?::(\d{1,5}))?$/.exec(text)
  const [, prefix = 'svc', name, port] = found ?? []
  const kind = kinds[prefix]
  if (kind === undefined || name === undefined || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) {
    throw new InterceptError('usage', `--to "${text}" is neither a Service nor a pod`, {
      fix: '--to svc/orders-pr-7, --to svc/orders-pr-7:8080 or --to pod/orders-0:8080',
    })
  }
  return { kind, name, ...(port === undefined ? {} : { port: Number(port) }) }
}
