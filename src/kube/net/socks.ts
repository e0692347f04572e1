import { once } from 'node:events'
import { isIPv4, isIPv6, type Socket } from 'node:net'

interface SocksTarget {
  readonly host: string
  readonly port: number
  readonly proxy: URL
  readonly signal: AbortSignal
}

const replies = [
  'succeeded',
  'general failure',
  'not allowed',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'TTL expired',
  'command not supported',
  'address type not supported',
]

/** SOCKS5 CONNECT (RFC 1928, user name and password by RFC 1929) on a connected socket. Names are resolved by the proxy. */
export async function socksConnect(socket: Socket, { host, port, proxy, signal }: SocksTarget): Promise<Socket> {
  const read = reader(socket, signal)
  const withLogin = proxy.username !== ''
  try {
    socket.write(Buffer.from([5, 1, withLogin ? 2 : 0]))
    const [version, method] = await read(2)
    if (version !== 5 || method === 0xff) throw new Error(`the proxy ${proxy.host} refuses this way of logging in`)
    if (method === 2) {
      const user = Buffer.from(decodeURIComponent(proxy.username))
      const password = Buffer.from(decodeURIComponent(proxy.password))
      socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]))
      const [, status] = await read(2)
      if (status !== 0) throw new Error(`the proxy ${proxy.host} does not accept the user name and password`)
    }
    const wirePort = Buffer.from([port >> 8, port & 0xff])
    socket.write(Buffer.concat([Buffer.from([5, 1, 0]), addressOf(host), wirePort]))
    const [, reply = 1, , kind] = await read(4)
    if (reply !== 0) throw new Error(`the proxy ${proxy.host} cannot connect: ${replies[reply] ?? `reply ${reply}`}`)
    const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await read(1))[0] ?? 0)
    await read(length + 2)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function addressOf(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from([1, ...host.split('.').map(Number)])
  const name = Buffer.from(isIPv6(host) ? `[${host}]` : host)
  return Buffer.concat([Buffer.from([3, name.length]), name])
}

/** Exactly n bytes, never more: what follows the handshake belongs to the next layer. */
function reader(socket: Socket, signal: AbortSignal): (bytes: number) => Promise<Buffer> {
  return async (bytes) => {
    for (;;) {
      const chunk = socket.read(bytes) as Buffer | null
      if (chunk !== null && chunk.length === bytes) return chunk
      if (socket.readableEnded || socket.destroyed) throw new Error('the proxy closed the connection')
      await Promise.race([once(socket, 'readable', { signal }), once(socket, 'end', { signal })])
    }
  }
}
