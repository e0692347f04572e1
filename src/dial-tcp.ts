import { connect, type Socket } from 'node:net'
import { InterceptError } from './errors.ts'
import { openReadable } from './read-into.ts'

/**
 * A TCP connection, half-open allowed, without delay. Rejects with the error of the connection, or, where the signal
 * aborts it, with one that says so. @param timeoutMs to wait for it; then it rejects with 'ETIMEDOUT'
 */
export function dialTcp(
  { host, port }: { readonly host: string; readonly port: number },
  { signal, timeoutMs }: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number } = {},
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = openReadable((options) => connect({ ...options, host, port, allowHalfOpen: true, noDelay: true }))
    const giveUp = (error: Error): void => void socket.destroy(error)
    const abort = (): void => giveUp(new Error('no longer wanted'))
    const late = (): void =>
      giveUp(new InterceptError('ETIMEDOUT', `${host}:${port} did not answer in ${(timeoutMs ?? 0) / 1000} s`))
    const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    signal?.addEventListener('abort', abort, { once: true })
    socket.once('connect', () => {
      settle()
      socket.removeListener('error', reject)
      resolve(socket)
    })
    socket.once('error', (error) => {
      settle()
      reject(error)
    })
  })
}
