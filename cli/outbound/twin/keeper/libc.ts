import { InterceptError } from '../../../../src/errors.ts'
import type { Family } from '../protocol.ts'

/**
 * The few calls of the system that Node has no way to make, through koffi. Loaded in the keeper only: the command line
 * itself never needs them. Constants are those of Linux on x86-64 and arm64.
 */
export interface Libc {
  /** A netlink socket to the kernel's packet queue. @returns its file descriptor @throws InterceptError */
  packetQueueSocket(): number
  /** A netlink socket to the kernel's socket diagnostics. @returns its file descriptor @throws InterceptError */
  socketDiagnostics(): number
  /** A TCP listener on this family's localhost that takes connections to any address. @throws InterceptError */
  transparentListener(family: Family): { readonly fd: number; readonly port: number }
  /** mount(2). @throws InterceptError with the errno's name as code */
  mount(source: string, target: string, type: string, flags: number): void
  /** Makes `root` the root of this mount namespace, and forgets the one before. @throws InterceptError */
  pivotRoot(root: string): void
}

export const MountFlag = {
  ReadOnly: 0x1,
  NoSuid: 0x2,
  NoDev: 0x4,
  NoExec: 0x8,
  Remount: 0x20,
  Bind: 0x1000,
  Recursive: 0x4000,
  Private: 0x40000,
} as const

const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16
const SOCK_STREAM = 1
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const NETLINK_SOCK_DIAG = 4
const NETLINK_NETFILTER = 12
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_RCVBUF = 8
const SOL_NETLINK = 270
/** A full buffer drops packets, silently; a SYN is sent again. */
const NETLINK_NO_ENOBUFS = 5
const SOL_IP = 0
const IP_TRANSPARENT = 19
const SOL_IPV6 = 41
const IPV6_TRANSPARENT = 75
const MNT_DETACH = 2
const pivotRootNumbers: Readonly<Record<string, number>> = { x64: 155, arm64: 41 }
const queueBytes = 4 * 1024 * 1024
const backlog = 4_096
/** Of the listeners: the option that makes one transparent, and localhost with any port (sockaddr_in, sockaddr_in6). */
const localhosts = {
  ipv4: {
    domain: AF_INET,
    transparent: [SOL_IP, IP_TRANSPARENT],
    address: Buffer.from([AF_INET, 0, 0, 0, 127, 0, 0, 1, ...Array(8).fill(0)]),
  },
  ipv6: {
    domain: AF_INET6,
    transparent: [SOL_IPV6, IPV6_TRANSPARENT],
    address: Buffer.from([AF_INET6, 0, 0, 0, ...Array(4).fill(0), ...Array(15).fill(0), 1, ...Array(4).fill(0)]),
  },
} as const

export async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi').catch((cause: unknown) => {
    throw new InterceptError('no-koffi', 'the package koffi is not installed, or not for this machine', { cause })
  })
  const libc = koffi.load(null)
  const socket = libc.func('int socket(int domain, int type, int protocol)')
  const setsockopt = libc.func('int setsockopt(int fd, int level, int name, const int *value, uint32_t length)')
  const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t length)')
  const listen = libc.func('int listen(int fd, int backlog)')
  const getsockname = libc.func('int getsockname(int fd, _Out_ uint8_t *address, _Inout_ uint32_t *length)')
  const mount = libc.func(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)',
  )
  const umount2 = libc.func('int umount2(const char *target, int flags)')
  const syscall = libc.func('long syscall(long number, const char *first, const char *second)')

  function checked(result: number, what: string): number {
    if (result >= 0) return result
    const errno = koffi.errno()
    const code = Object.entries(koffi.os.errno).find(([, number]) => number === errno)?.[0] ?? `errno-${errno}`
    throw new InterceptError(code, `${what}: ${code}`)
  }

  return {
    packetQueueSocket() {
      const fd = checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), 'a netlink socket')
      checked(setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, [1], 4), 'NETLINK_NO_ENOBUFS')
      checked(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, [queueBytes], 4), 'SO_RCVBUF')
      return fd
    },
    socketDiagnostics: () =>
      checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), 'a netlink socket'),
    transparentListener(family) {
      const { domain, transparent, address } = localhosts[family]
      const fd = checked(socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0), 'a socket')
      checked(setsockopt(fd, ...transparent, [1], 4), 'a transparent socket')
      // What it accepts has the port that was dialled, and would else keep the program from listening there.
      checked(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, [1], 4), 'SO_REUSEADDR')
      checked(bind(fd, address, address.length), 'bind')
      checked(listen(fd, backlog), 'listen')
      const bound = Buffer.alloc(address.length)
      checked(getsockname(fd, bound, [bound.length]), 'getsockname')
      return { fd, port: bound.readUInt16BE(2) }
    },
    mount(source, target, type, flags) {
      checked(mount(source, target, type, flags, null), `mount ${target}`)
    },
    pivotRoot(root) {
      const number = pivotRootNumbers[process.arch]
      if (number === undefined) throw new InterceptError('not-supported', `pivot_root on ${process.arch}`)
      process.chdir(root)
      // One on top of the other; the old one is what lies on top then.
      checked(Number(syscall(number, '.', '.')), 'pivot_root')
      checked(umount2('.', MNT_DETACH), 'umount of the old root')
      process.chdir('/')
    },
  }
}
