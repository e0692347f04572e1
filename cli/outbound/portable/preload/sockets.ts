import { isIPv6, Socket } from 'node:net'
import { getSystemErrorMap } from 'node:util'
import { askForConnection } from './dial-client.ts'
import { plainAddress } from './own-hosts.ts'

/** What net.Socket does with its handle (`TCP` of Node's tcp_wrap): the parts that we stand in for. */
interface TcpHandle {
  connect(request: ConnectRequest, address: string, port: number): number
  connect6(request: ConnectRequest, address: string, port: number): number
  getpeername(out: { address?: string; family?: string; port?: number }): number
  close(done?: () => void): void
}

interface ConnectRequest {
  oncomplete(status: number, handle: TcpHandle, request: ConnectRequest, readable: boolean, writable: boolean): void
}

export interface SocketsParts {
  /** `127.0.0.1:PORT` of the DialServer. */
  readonly server: string
  isOfCluster(address: string): boolean
}

/** By what the cluster says; everything else stands there under its own name. */
const meanings: Readonly<Record<string, string>> = {
  'not-allowed': 'EACCES',
  'tunnel-down': 'ENETUNREACH',
  EHOSTDOWN: 'EHOSTUNREACH',
}

/**
 * Leads this process's TCP connections to addresses of the cluster through the DialServer. Below net.Socket, where a
 * connection is begun for one address: so lookups, events, happy eyeballs, TLS, time limits and errors stay Node's own.
 */
export function connectThroughCluster({ server, isOfCluster }: SocketsParts): void {
  const tcp = tcpPrototype()
  if (!tcp) return
  const { connect, connect6, getpeername } = tcp
  const peers = new WeakMap<TcpHandle, { address: string; family: string; port: number }>()

  function lead(handle: TcpHandle, request: ConnectRequest, address: string, port: number): number {
    peers.set(handle, { address, family: isIPv6(address) ? 'IPv6' : 'IPv4', port })
    const fail = (status: number): void => request.oncomplete(status, handle, request, false, false)
    const { close } = handle
    const asking = askForConnection(server, { host: plainAddress(address), port }, (answer) => {
      Reflect.deleteProperty(handle, 'close')
      if ('code' in answer) {
        asking.destroy()
        fail(statusOf(answer.code))
        return
      }
      const status = connect.call(handle, request, '127.0.0.1', answer.port)
      // The server ends it when the connection has come.
      asking.unref()
      if (status !== 0) fail(status)
    })
    handle.close = (done) => {
      Reflect.deleteProperty(handle, 'close')
      asking.removeAllListeners('close')
      asking.destroy()
      close.call(handle, done)
    }
    return 0
  }

  tcp.connect = function (request, address, port) {
    return isOfCluster(address) ? lead(this, request, address, port) : connect.call(this, request, address, port)
  }
  tcp.connect6 = function (request, address, port) {
    return isOfCluster(address) ? lead(this, request, address, port) : connect6.call(this, request, address, port)
  }
  tcp.getpeername = function (out) {
    const peer = peers.get(this)
    if (!peer) return getpeername.call(this, out)
    Object.assign(out, peer)
    return 0
  }
}

/** Undefined where Node is not made as we know it; then nothing is led anywhere. */
function tcpPrototype(): TcpHandle | undefined {
  const probe = new Socket()
  // Begun on a later turn; by then it is destroyed.
  probe.connect({ host: '127.0.0.1', port: 9 })
  const handle: unknown = Reflect.get(probe, '_handle')
  probe.destroy()
  if (typeof handle !== 'object' || handle === null) return undefined
  const prototype = Object.getPrototypeOf(handle) as Partial<TcpHandle>
  const { connect, connect6, getpeername } = prototype
  const isKnown = [connect, connect6, getpeername].every((one) => typeof one === 'function')
  return isKnown ? (prototype as TcpHandle) : undefined
}

let statuses: ReadonlyMap<string, number> | undefined

/** libuv's number of an error, which is less than 0. */
function statusOf(code: string): number {
  statuses ??= new Map([...getSystemErrorMap()].map(([status, [name]]) => [name, status]))
  const name = Object.hasOwn(meanings, code) ? meanings[code] : code
  return statuses.get(name ?? '') ?? statuses.get('EHOSTUNREACH') ?? -1
}
