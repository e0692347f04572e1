/** What the bench uses of http-proxy 1.18, which brings no types. */
declare module 'http-proxy' {
  import type { Agent, IncomingMessage, ServerResponse } from 'node:http'

  export function createProxyServer(options: { target: string; agent: Agent }): {
    web(request: IncomingMessage, response: ServerResponse): void
    on(event: 'error', listener: (error: Error) => void): void
  }
}
