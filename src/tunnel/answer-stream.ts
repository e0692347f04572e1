import type { Socket } from 'node:net'
import { type PipeOptions, pipeSocket } from './pipe-socket.ts'
import type { StreamHandlers, TunnelStream } from './types.ts'

export interface AnswerOptions {
  /** Connects to what answers; the signal aborts when the peer has lost interest. */
  dial(signal: AbortSignal): Promise<Socket>
  /** Called when it is connected; what it returns goes to the pipe. */
  onConnected?(): Omit<PipeOptions, 'replay'>
  /** What the peer is told where the dial failed. Not called where the peer had lost interest. */
  refusal(error: unknown): { readonly code: string; readonly message: string }
}

/** Answers a stream that the peer opened with a socket that has yet to be dialled. Never throws. */
export function answerStream(stream: TunnelStream, options: AnswerOptions): void {
  const gone = new AbortController()
  // What arrives before the socket is there; the stream's window bounds it.
  const early: ((to: StreamHandlers) => void)[] = []
  stream.handle({
    onData: (chunk) => early.push((to) => to.onData(chunk)),
    onEnd: () => early.push((to) => to.onEnd()),
    onReset: () => gone.abort(),
    onDrain: () => undefined,
  })
  options.dial(gone.signal).then(
    (socket) => {
      if (gone.signal.aborted) return void socket.destroy()
      pipeSocket(stream, socket, {
        ...options.onConnected?.(),
        replay: (to) => {
          for (const event of early) event(to)
        },
      })
    },
    (error: unknown) => {
      if (gone.signal.aborted) return
      const { code, message } = options.refusal(error)
      stream.refuse(code, message)
    },
  )
}
