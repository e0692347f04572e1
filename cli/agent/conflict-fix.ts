import { flagsOf } from '../../src/match/describe.ts'
import { wayAround } from '../../src/match/way-around.ts'
import type { Intercept } from '../../src/resource/intercept.ts'
import { type Claimed, type Conflict, whyInvalid } from '../../src/takeover/acceptance.ts'
import type { PortMapping } from './ports.ts'

/** What a person who is refused can type: a command that would work, or whom to talk to. */
export function conflictFix(found: {
  readonly ports: readonly PortMapping[]
  /** Who asks. */
  readonly holder: string
  readonly wanted: Claimed
  /** All intercepts of the port. */
  readonly onPort: readonly Intercept[]
  /** The one in the way. */
  readonly other: Intercept
  readonly conflict: Conflict
}): string {
  const { ports, holder, wanted, onPort, other, conflict } = found
  const { name, namespace } = other.metadata
  if (conflict.kind === 'overlap') {
    const taken = onPort
      .filter(({ spec }) => spec.mode === 'intercept' && !(spec.match && whyInvalid(spec.match) !== undefined))
      .map(({ spec }) => spec.match)
    const match = wayAround(wanted.match, taken, holder)
    if (match) {
      const mapped = ports.flatMap(({ local, port, name: remote }) => ['--port', `${local}:${remote ?? port}`])
      return ['intercept', `svc/${other.spec.service}`, '-n', namespace, ...mapped, ...flagsOf(match)]
        .map(shellWord)
        .join(' ')
    }
  }
  if (other.spec.holder === holder) {
    return `intercept leave ${name} -n ${namespace}   (it is yours, from another terminal or an earlier run)`
  }
  return `talk to ${other.spec.holder}, or, with the right to: intercept revoke ${name} -n ${namespace}`
}

const shellWord = (word: string): string =>
  /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
