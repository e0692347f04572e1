import { connect } from 'node:net'
import { codeOf } from '../../src/errors.ts'
import type { OriginEndpoint } from '../../src/takeover/endpoints.ts'
import type { OriginBalancer } from './origin-balancer.ts'
import type { ClientHello } from './tls-client-hello.ts'
import { startTlsOffering, type TlsProtocol } from './tls-upstream.ts'

export const negotiationLimits = {
  /** Time for an endpoint of the origin to agree on a protocol. Milliseconds. */
  askMs: 2_000,
  /** How long what the origin agreed on is taken for granted. Milliseconds. */
  keepMs: 60_000,
  /** The same for what speaks against ending TLS. */
  keepRefusalMs: 5_000,
  /** Answers kept for one origin; clients choose what they ask for. */
  kept: 128,
}

/** What is to become of a client's TLS. */
export type Negotiated =
  /** It is ended here; `protocol` is agreed on, or undefined: none. */
  | { readonly kind: 'end'; readonly protocol: TlsProtocol | undefined }
  /** It passes unseen, to the origin. */
  | { readonly kind: 'pass'; readonly reason: string }

type Asked = Negotiated | { readonly kind: 'unreachable' }

/** What the origins of this process have lately agreed on. They go when their balancers do. */
const kept = new WeakMap<OriginBalancer, Map<string, { readonly until: number; readonly answer: Promise<Asked> }>>()

/**
 * Asks the origin what it would agree on with this client, so that the client finds what it would find without us. Where
 * no endpoint answers, HTTP/1.1 is preferred: everybody speaks it.
 */
export async function negotiate(
  origin: OriginBalancer,
  hello: ClientHello,
  clientAddress: string,
  now = Date.now(),
): Promise<Negotiated> {
  const offered = hello.protocols.filter(isOurs)
  if (hello.protocols.length > 0 && offered.length === 0) {
    return { kind: 'pass', reason: `the client speaks neither HTTP/1.1 nor HTTP/2 but ${printable(hello.protocols)}` }
  }
  const asked = await askOnce(origin, hello, clientAddress, now)
  if (asked.kind !== 'unreachable') return asked
  return { kind: 'end', protocol: offered.includes('http/1.1') ? 'http/1.1' : offered[0] }
}

function askOnce(origin: OriginBalancer, hello: ClientHello, clientAddress: string, now: number): Promise<Asked> {
  const answers = kept.get(origin) ?? new Map()
  kept.set(origin, answers)
  const key = JSON.stringify([hello.servername, hello.protocols])
  const found = answers.get(key)
  if (found && found.until > now) return found.answer
  const answer = ask(origin, hello, clientAddress)
  if (answers.size >= negotiationLimits.kept) answers.clear()
  // Until it is known, everybody waits for the same answer.
  answers.set(key, { until: now + negotiationLimits.keepMs, answer })
  void answer.then(({ kind }) => {
    if (answers.get(key)?.answer !== answer) return
    if (kind === 'unreachable') answers.delete(key)
    else if (kind === 'pass') answers.set(key, { until: now + negotiationLimits.keepRefusalMs, answer })
  })
  return answer
}

async function ask(origin: OriginBalancer, hello: ClientHello, clientAddress: string): Promise<Asked> {
  for (const endpoint of origin.order(clientAddress)) {
    const asked = await askEndpoint(endpoint, hello)
    if (asked.kind !== 'unreachable') return asked
  }
  return { kind: 'unreachable' }
}

function askEndpoint({ address, port }: OriginEndpoint, hello: ClientHello): Promise<Asked> {
  return new Promise((resolve) => {
    const tcp = connect({ host: address, port, noDelay: true })
    // What has other characters is grease (RFC 8701).
    const protocols = hello.protocols.filter((name) => /^[\x21-\x7e]{1,255}$/.test(name))
    const socket = startTlsOffering(tcp, hello.servername, protocols)
    const answer = (asked: Asked): void => {
      clearTimeout(timer)
      resolve(asked)
      socket.destroy()
    }
    const timer = setTimeout(() => answer({ kind: 'unreachable' }), negotiationLimits.askMs)
    socket.once('secureConnect', () => {
      const { alpnProtocol } = socket
      // Of the server's own algorithms a client learns only where it is asked for a certificate.
      const asksCertificate = socket.getSharedSigalgs().length > 0
      if (asksCertificate)
        answer({ kind: 'pass', reason: 'the origin asks its clients for certificates, which cannot be passed on' })
      else if (!alpnProtocol) answer({ kind: 'end', protocol: undefined })
      else if (isOurs(alpnProtocol)) answer({ kind: 'end', protocol: alpnProtocol })
      else answer({ kind: 'pass', reason: `the origin chose ${alpnProtocol}` })
    })
    socket.on('error', (error) => {
      const isTls = /^(ERR_SSL|EPROTO)/.test(codeOf(error) ?? '')
      answer(isTls ? { kind: 'pass', reason: `the origin refuses TLS: ${error.message}` } : { kind: 'unreachable' })
    })
    socket.once('close', () => answer({ kind: 'unreachable' }))
  })
}

const isOurs = (name: string): name is TlsProtocol => name === 'h2' || name === 'http/1.1'

const printable = (names: readonly string[]): string =>
  names
    .join(', ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 100)
