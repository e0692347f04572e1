import { randomBytes } from 'node:crypto'
import { TunnelError } from './error.ts'
import { decodeHello, encodeChallenge, encodeRefusal, type Hello, type Refusal } from './handshake.ts'
import type { TunnelLimits } from './limits.ts'
import type { Carrier } from './types.ts'

/** A carrier that is not authenticated yet. */
export interface Newcomer {
  refuse(refusal: Refusal): void
  /** The handshake is over well: the caller sets the carrier's handlers in the same call. False: it is gone already. */
  admit(): boolean
}

export interface ServerHandshake {
  readonly limits: TunnelLimits
  /** The signature is good. The answer is the callee's to give, before the time is up. */
  onHello(hello: Hello, newcomer: Newcomer): void
  /** Called once, whichever way it ends. */
  onOver(): void
}

/** The server's half: sends the challenge, checks the hello. */
export function challenge(carrier: Carrier, options: ServerHandshake): Newcomer {
  const { handshakeMs, handshakeBytes } = options.limits
  const nonce = randomBytes(32)
  let stage: 'hello' | 'authorizing' | 'over' = 'hello'
  const over = () => {
    stage = 'over'
    clearTimeout(timer)
    options.onOver()
  }
  const refuse = (refusal: Refusal) => {
    if (stage === 'over') return
    over()
    carrier.send([encodeRefusal(refusal)])
    carrier.close(4_401, refusal.code)
  }
  const timer = setTimeout(
    () => refuse({ code: 'handshake-timeout', message: `the handshake took more than ${handshakeMs} ms` }),
    handshakeMs,
  )
  const newcomer: Newcomer = {
    refuse,
    admit() {
      if (stage === 'over') return false
      over()
      return true
    },
  }
  carrier.onClose = () => {
    if (stage !== 'over') over()
  }
  carrier.onMessage = (message) => {
    if (stage === 'over') return
    if (stage === 'authorizing' || message.length > handshakeBytes) {
      refuse({ code: 'bad-hello', message: 'the client did not keep to the handshake' })
      return
    }
    stage = 'authorizing'
    try {
      options.onHello(decodeHello(message, nonce), newcomer)
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error
      refuse({ code: error.code, message: error.message, fix: error.fix })
    }
  }
  carrier.send([encodeChallenge(nonce)])
  return newcomer
}
