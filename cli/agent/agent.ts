import { messageOf } from '../../src/errors.ts'
import { type Exchange, ExchangeTracker } from '../../src/http/exchange-tracker.ts'
import { answerStream, type TunnelStream } from '../../src/tunnel/index.ts'
import { dialLocal } from './local-process.ts'

/** How often a local process that is down is dialled again while a connection is held, in milliseconds. */
const holdRetryMs = 200

/** What the agent tells about the traffic that it sees. */
export interface AgentEvents {
  onConnection(port: number): void
  onClosed(port: number): void
  onExchange(port: number, exchange: Exchange): void
  /** The local process did not accept; what became of the connection is the proxy pod's affair. */
  onLocalDown(port: number, localPort: number, reason: string): void
}

/** The laptop's half: each stream that arrives becomes a connection to the local process. */
export class Agent {
  readonly #localPorts: ReadonlyMap<number, number>
  readonly #holdMs: number
  readonly #events: AgentEvents
  readonly #connect: typeof dialLocal

  /**
   * @param localPorts port of the Service -> local port
   * @param holdMs how long a connection waits for a local process that is down
   * @param connect to the local process
   */
  constructor(
    localPorts: ReadonlyMap<number, number>,
    holdMs: number,
    events: AgentEvents,
    connect: typeof dialLocal = dialLocal,
  ) {
    this.#connect = connect
    this.#localPorts = localPorts
    this.#holdMs = holdMs
    this.#events = events
  }

  /** Answers a stream of a tunnel. Never throws. */
  serve(stream: TunnelStream): void {
    const { port } = stream.header
    const localPort = typeof port === 'number' ? this.#localPorts.get(port) : undefined
    if (typeof port !== 'number' || localPort === undefined) {
      stream.refuse('no-such-port', `port ${JSON.stringify(port)} is not intercepted here`)
      return
    }
    answerStream(stream, {
      dial: (signal) => this.#dial(localPort, signal),
      onConnected: () => {
        this.#events.onConnection(port)
        const tracker = new ExchangeTracker((exchange) => this.#events.onExchange(port, exchange))
        return {
          onBytes: (direction, chunk) => (direction === 'in' ? tracker.fromClient(chunk) : tracker.fromUpstream(chunk)),
          onClose: () => this.#events.onClosed(port),
        }
      },
      refusal: (error) => {
        this.#events.onLocalDown(port, localPort, messageOf(error))
        return { code: 'local-down', message: `nothing answers on localhost:${localPort}: ${messageOf(error)}` }
      },
    })
  }

  async #dial(localPort: number, signal: AbortSignal): ReturnType<typeof dialLocal> {
    const deadline = Date.now() + this.#holdMs
    for (;;) {
      signal.throwIfAborted()
      try {
        return await this.#connect(localPort, signal)
      } catch (error) {
        if (signal.aborted || Date.now() >= deadline) throw error
        await new Promise((resolve) => setTimeout(resolve, holdRetryMs))
      }
    }
  }
}
