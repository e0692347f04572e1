import { TunnelError } from './error.ts'
import { checkVersion, decodeAnswer, decodeChallenge, encodeHello, type Hello, type Welcome } from './handshake.ts'
import type { TunnelKeys } from './keys.ts'
import type { Carrier } from './types.ts'

export interface ClientHandshake {
  readonly keys: TunnelKeys
  readonly hello: Hello
  readonly handshakeMs: number
  /** Aborted when the tunnel is closed meanwhile. */
  readonly signal: AbortSignal
  /** Called in the message's own call: what follows the welcome must find its reader. */
  onWelcome(welcome: Welcome): void
  /** The carrier is closed by then. */
  onFailed(error: TunnelError): void
}

/** The client's half: answers the challenge, waits for the welcome. Owns the carrier until one of the two calls. */
export function shakeHands(carrier: Carrier, options: ClientHandshake): void {
  let stage: 'challenge' | 'answer' | 'done' = 'challenge'
  const timer = setTimeout(() => {
    fail(new TunnelError('handshake-timeout', `no ${stage} from the tunnel's server in ${options.handshakeMs} ms`))
  }, options.handshakeMs)
  const onAbort = () => fail(new TunnelError('tunnel-closed', 'the tunnel was closed'))
  const finish = () => {
    stage = 'done'
    clearTimeout(timer)
    options.signal.removeEventListener('abort', onAbort)
  }
  const fail = (error: TunnelError) => {
    if (stage === 'done') return
    finish()
    carrier.close(4_401, error.code)
    options.onFailed(error)
  }
  const step = (message: Buffer) => {
    if (stage === 'challenge') {
      const challenge = decodeChallenge(message)
      checkVersion(challenge.version, 'the cluster')
      carrier.send([encodeHello(options.hello, Buffer.from(challenge.nonce, 'base64'), options.keys)])
      stage = 'answer'
    } else if (stage === 'answer') {
      const welcome = decodeAnswer(message)
      finish()
      options.onWelcome(welcome)
    }
  }
  options.signal.addEventListener('abort', onAbort, { once: true })
  if (options.signal.aborted) onAbort()
  carrier.onClose = (reason) =>
    fail(new TunnelError('carrier-closed', `the carrier closed in the handshake: ${reason}`))
  carrier.onMessage = (message) => {
    try {
      step(message)
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error
      fail(error)
    }
  }
}
