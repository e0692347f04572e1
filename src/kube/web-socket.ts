import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { type Attempt, errorFromResponse, errorFromTransport, KubeError } from './error.ts'
import type { Transport } from './transport.ts'

/**
 * Opens a WebSocket to a subresource; credentials that were refused are renewed once. `attach` is called before anything
 * can arrive, and its result is delivered when the API server has accepted. @throws KubeError
 */
export async function openWebSocket<T>(
  transport: Transport,
  path: string,
  protocol: string,
  attempt: Attempt,
  attach: (socket: WebSocket) => T,
): Promise<T> {
  try {
    return await upgrade(transport, path, protocol, attempt, attach)
  } catch (error) {
    if (!(error instanceof KubeError && error.code === 'credentials-expired')) throw error
    await transport.renewCredentials()
    return upgrade(transport, path, protocol, attempt, attach)
  }
}

async function upgrade<T>(
  transport: Transport,
  path: string,
  protocol: string,
  attempt: Attempt,
  attach: (socket: WebSocket) => T,
): Promise<T> {
  const { url, headers, options } = await transport.upgradeTarget(path)
  const socket = new WebSocket(url, [protocol], { ...options, headers, perMessageDeflate: false })
  const attached = attach(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => {
      // Nothing is delivered, errors neither, before the caller has had its turn to listen.
      socket.pause()
      setImmediate(() => socket.resume())
      resolve()
    })
    socket.once('error', (error) => reject(errorFromTransport(error, attempt)))
    socket.once('unexpected-response', (request, response) => {
      refusalOf(response, attempt)
        .then(reject, reject)
        .finally(() => request.destroy())
    })
  })
  return attached
}

async function refusalOf(response: IncomingMessage, attempt: Attempt): Promise<KubeError> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) text += chunk
  // Whether an upgrade is `get` or `create` depends on the version of the API server.
  const verb = /cannot (\w+) resource/.exec(text)?.[1] ?? attempt.verb
  return errorFromResponse(response.statusCode ?? 0, text, { ...attempt, verb })
}
