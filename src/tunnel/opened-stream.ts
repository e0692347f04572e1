import { TunnelError } from './error.ts'
import type { StreamHandlers, TunnelStream } from './types.ts'

/**
 * Waits until the peer has accepted a stream that we opened. What it delivers until its handlers are set again is kept,
 * bounded by the stream's window. @returns hands that over to the handlers that are set then: the `replay` of a pipe
 * @throws TunnelError with the code of the refusal or reset
 */
export function openedStream(stream: TunnelStream): Promise<(to: StreamHandlers) => void> {
  return new Promise((resolve, reject) => {
    const early: ((to: StreamHandlers) => void)[] = []
    const replay = (to: StreamHandlers): void => {
      for (const event of early) event(to)
    }
    stream.handle({
      onAccept: () => resolve(replay),
      onRefuse: (code, message) => reject(new TunnelError(code, message)),
      onData: (chunk) => early.push((to) => to.onData(chunk)),
      onEnd: () => early.push((to) => to.onEnd()),
      onReset: (code) => {
        early.push((to) => to.onReset(code))
        reject(new TunnelError(code, `the stream was reset: ${code}`))
      },
      onDrain: () => undefined,
    })
  })
}
