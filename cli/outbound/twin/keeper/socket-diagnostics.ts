import { readSync, writeSync } from 'node:fs'
import type { ListeningPort } from './listening-ports.ts'
import { writtenAddress } from './written-address.ts'

/**
 * What listens, from the kernel's socket diagnostics (sock_diag(7)) over netlink. /proc/net/tcp says the same, but goes
 * through the connections of the whole machine for it, which takes milliseconds.
 */
const byFamily = 20
const flagRequest = 0x001
const flagDump = 0x300
const MessageType = { Error: 2, Done: 3 } as const
const tcp = 6
const families = { inet: 2, inet6: 10 } as const
const listenState = 10
const readBytes = 32 * 1024

/** @param fd of a netlink socket for it, blocking: the kernel answers within the call @throws system errors */
export function listeningSockets(fd: number): ListeningPort[] {
  const buffer = Buffer.alloc(readBytes)
  return Object.values(families).flatMap((family) => {
    writeSync(fd, dumpRequest(family))
    const found: ListeningPort[] = []
    for (let done = false; !done; ) {
      const parsed = parseListeners(buffer.subarray(0, readSync(fd, buffer)))
      found.push(...parsed.found)
      done = parsed.done
    }
    return found
  })
}

/** Asks for all TCP sockets of a family that listen (linux/inet_diag.h, inet_diag_req_v2). */
export function dumpRequest(family: number): Buffer {
  const message = Buffer.alloc(16 + 56)
  message.writeUInt32LE(message.length, 0)
  message.writeUInt16LE(byFamily, 4)
  message.writeUInt16LE(flagRequest | flagDump, 6)
  message[16] = family
  message[17] = tcp
  message.writeUInt32LE(1 << listenState, 20)
  return message
}

/** What one read brought; `done` where nothing more follows, also after an error (a kernel without IPv6). */
export function parseListeners(bytes: Buffer): { readonly found: ListeningPort[]; readonly done: boolean } {
  const found: ListeningPort[] = []
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at)
    const type = bytes.readUInt16LE(at + 4)
    if (length < 16 || at + length > bytes.length) break
    if (type === MessageType.Done || type === MessageType.Error) return { found, done: true }
    if (type === byFamily && length >= 16 + 72) {
      const body = bytes.subarray(at + 16, at + length)
      const size = body[0] === families.inet6 ? 16 : 4
      found.push({ port: body.readUInt16BE(4), address: writtenAddress(body.subarray(8, 8 + size)) })
    }
    at += (length + 3) & ~3
  }
  return { found, done: bytes.length === 0 }
}
