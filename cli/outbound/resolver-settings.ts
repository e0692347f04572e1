import { parseResolverSettings, type ResolverSettings } from '../../src/dns/resolver-settings.ts'
import { InterceptError } from '../../src/errors.ts'
import type { TunnelStream } from '../../src/tunnel/index.ts'
import { type TunnelWaiter, waitForTunnel } from './wait-for-tunnel.ts'

/** In milliseconds. */
const waitForTunnelMs = 10_000
const mostBytes = 16 * 1_024

export interface ResolverWay extends TunnelWaiter {
  /** A stream that says what the resolv.conf of a pod does. @throws TunnelError 'tunnel-down' */
  openResolver(namespace: string): TunnelStream
}

/**
 * What the resolv.conf of a pod of that namespace says (dnsPolicy ClusterFirst).
 * @throws InterceptError 'tunnel-down', 'bad-answer', what the proxy pod refuses with; what `signal` aborts with
 */
export async function resolverSettings(
  way: ResolverWay,
  namespace: string,
  signal?: AbortSignal,
): Promise<ResolverSettings> {
  await waitForTunnel(way, { waitMs: waitForTunnelMs, signal })
  const settings = parseResolverSettings(await textOf(way.openResolver(namespace), signal))
  if (settings) return settings
  throw new InterceptError('bad-answer', 'the proxy pod did not say how pods resolve names', {
    fix: 'intercept install   # brings the proxy pod to this release',
  })
}

/** All that a stream brings until it ends. */
function textOf(stream: TunnelStream, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (then: () => void): void => {
      signal?.removeEventListener('abort', abort)
      then()
    }
    const fail = (error: unknown): void =>
      settle(() => {
        stream.reset('not-wanted')
        reject(error)
      })
    const abort = (): void => fail(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    stream.handle({
      onData: (chunk) => {
        chunks.push(chunk)
        bytes += chunk.length
        stream.consumed(chunk.length)
        if (bytes > mostBytes) fail(new InterceptError('bad-answer', `the proxy pod said more than ${mostBytes} bytes`))
      },
      onEnd: () =>
        settle(() => {
          stream.end()
          resolve(Buffer.concat(chunks).toString('utf8'))
        }),
      onReset: (code) => fail(new InterceptError('tunnel-down', `the stream was reset: ${code}`)),
      onRefuse: (code, message) => fail(new InterceptError(code, message)),
      onDrain: () => undefined,
    })
  })
}
