import { once } from 'node:events'
import { WebSocket } from 'ws'
import { until } from './until.ts'

/** A debugger that speaks the inspector's protocol. */
export class Inspector {
  readonly #socket: WebSocket
  readonly #answers = new Map<number, (result: Record<string, unknown>) => void>()
  readonly #paused: { callFrames: { callFrameId: string }[] }[] = []
  #wake: () => void = () => undefined
  #last = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data) => {
      const { id, result = {}, method, params } = JSON.parse(String(data))
      if (id !== undefined) this.#answers.get(id)?.(result)
      if (method === 'Debugger.paused') this.#paused.push(params)
      this.#wake()
    })
  }

  /** Waits until a program that was started with --inspect or --inspect-brk is there. */
  static async attach(port: number): Promise<Inspector> {
    const url = await until('the inspector', async () => {
      const list = await fetch(`http://127.0.0.1:${port}/json/list`)
      const targets = (await list.json()) as { webSocketDebuggerUrl: string }[]
      return targets[0]?.webSocketDebuggerUrl
    })
    const socket = new WebSocket(url)
    await once(socket, 'open')
    return new Inspector(socket)
  }

  /** For a program that waits before its first line: it begins. */
  async begin(): Promise<void> {
    await this.send('Runtime.enable')
    await this.send('Debugger.enable')
    await this.send('Runtime.runIfWaitingForDebugger')
    await this.paused()
    await this.send('Debugger.resume')
  }

  /** @param line from 0 */
  async breakAt(file: RegExp, line: number): Promise<void> {
    await this.send('Debugger.setBreakpointByUrl', { lineNumber: line, urlRegex: file.source })
  }

  /** Waits until the program stands at a breakpoint, and evaluates something there. */
  async evaluateAtBreakpoint(expression: string): Promise<void> {
    const frame = await this.paused()
    await this.send('Debugger.evaluateOnCallFrame', { callFrameId: frame?.callFrameId, expression })
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    this.#last += 1
    const id = this.#last
    this.#socket.send(JSON.stringify({ id, method, params }))
    return new Promise((resolve) => this.#answers.set(id, resolve))
  }

  async paused(): Promise<{ callFrameId: string } | undefined> {
    for (;;) {
      const found = this.#paused.shift()
      if (found) return found.callFrames[0]
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.#socket.close()
  }
}
