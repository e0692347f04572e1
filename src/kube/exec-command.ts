import type { RawData, WebSocket } from 'ws'
import { type Attempt, errorFromTransport, KubeError, type StatusBody } from './error.ts'
import { pathOf } from './paths.ts'
import { pods } from './resources.ts'
import type { Transport } from './transport.ts'
import type { CommandResult, ContainerCommand } from './types.ts'
import { openWebSocket } from './web-socket.ts'

/** The WebSocket form of the exec subresource: the first byte of each message is the channel; `error` ends with a Status. */
const protocol = 'v4.channel.k8s.io'
const channels = { stdout: 1, stderr: 2, error: 3 } as const
const limits = {
  /** Until the command has ended; where its stdout is streamed, without a message. */
  milliseconds: 30_000,
  /** Of what the command may say, but a streamed stdout. */
  bytes: 4 * 1024 * 1024,
}

/** Runs a command without standard input. @throws KubeError: 'exec-failed' where it does not start or says too much */
export async function execCommand(
  transport: Transport,
  namespace: string,
  pod: string,
  { container, command, onStdout }: ContainerCommand,
): Promise<CommandResult> {
  const query = new URLSearchParams([
    ['container', container],
    ...command.map((word): [string, string] => ['command', word]),
    ['stdout', 'true'],
    ['stderr', 'true'],
  ])
  const path = `${pathOf(pods, namespace, pod, 'exec')}?${query}`
  const attempt: Attempt = {
    server: transport.access.server,
    context: transport.access.context,
    verb: 'get',
    path,
    group: '',
    resource: 'pods/exec',
    namespace,
    name: pod,
  }
  const run = await openWebSocket(
    transport,
    path,
    protocol,
    attempt,
    (socket) => new CommandRun(socket, attempt, onStdout),
  )
  return run.ended()
}

/** One command: what it says, and how it ends. */
class CommandRun {
  readonly #socket: WebSocket
  readonly #attempt: Attempt
  readonly #onStdout: ContainerCommand['onStdout']
  readonly #said: Record<number, Buffer[]> = { [channels.stdout]: [], [channels.stderr]: [], [channels.error]: [] }
  #bytes = 0
  #failure: { readonly error: unknown } | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #closed: Promise<void>

  constructor(socket: WebSocket, attempt: Attempt, onStdout: ContainerCommand['onStdout']) {
    this.#socket = socket
    this.#attempt = attempt
    this.#onStdout = onStdout
    socket.on('message', (data) => this.#onMessage(data))
    socket.on('error', (error) => {
      this.#failure ??= { error: errorFromTransport(error, attempt) }
    })
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
  }

  async ended(): Promise<CommandResult> {
    this.#timer = setTimeout(
      () => this.#fail(`${this.#onStdout ? 'said nothing for' : 'did not end within'} ${limits.milliseconds / 1000} s`),
      limits.milliseconds,
    )
    await this.#closed
    clearTimeout(this.#timer)
    if (this.#failure) throw this.#failure.error
    return { code: this.#exitCode(), stdout: this.#text(channels.stdout), stderr: String(this.#text(channels.stderr)) }
  }

  #onMessage(data: RawData): void {
    const message = data as Buffer
    if (this.#onStdout && message[0] === channels.stdout) {
      if (!this.#failure) this.#stream(this.#onStdout, message.subarray(1))
      return
    }
    this.#bytes += message.length
    if (this.#bytes > limits.bytes) this.#fail(`said more than ${limits.bytes} bytes`)
    else if (message.length > 1) this.#said[message[0] ?? 0]?.push(message.subarray(1))
  }

  #stream(onStdout: (chunk: Buffer) => void, chunk: Buffer): void {
    this.#timer?.refresh()
    try {
      onStdout(chunk)
    } catch (error) {
      this.#failure = { error }
      this.#socket.terminate()
    }
  }

  #exitCode(): number {
    const text = String(this.#text(channels.error))
    const status = text.startsWith('{') ? (JSON.parse(text) as StatusBody & { status?: string }) : undefined
    if (status?.status === 'Success') return 0
    const cause = status?.details?.causes?.find(({ reason }) => reason === 'ExitCode')
    if (cause) return Number(cause.message)
    throw this.#error(status?.message ?? (text.trim() || 'the connection ended before the command did'))
  }

  #text(channel: number): Buffer {
    return Buffer.concat(this.#said[channel] ?? [])
  }

  #fail(why: string): void {
    this.#failure ??= { error: this.#error(why) }
    this.#socket.terminate()
  }

  #error(why: string): KubeError {
    const { namespace, name } = this.#attempt
    return new KubeError('exec-failed', `A command in pod ${namespace}/${name}: ${why}`)
  }
}
