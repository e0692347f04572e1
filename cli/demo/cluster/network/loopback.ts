import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { codeOf } from '../../../../src/errors.ts'

/** The addresses of one embedded cluster. */
export interface AddressPlan {
  /** All pods share 127.0.0.1, each container port has a free port of its own. */
  readonly single: boolean
  readonly node: string
  /** A pod's own address, not in use by another pod. */
  takePod(): string
  releasePod(address: string): void
  /** Candidates for ClusterIPs, in order. */
  serviceAddresses(): Generator<string>
  isServiceAddress(address: string): boolean
  close(): Promise<void>
}

const slots = 120
const lockPort = 10_250

/**
 * On Linux the whole of 127.0.0.0/8 is ours to bind. Each cluster of the machine takes one slot, 127.SLOT.0.0/16, and
 * holds it by listening on its last address, so that the kernel frees it however the process ends. Where only 127.0.0.1
 * exists (macOS), or where it is asked for, everything is on 127.0.0.1.
 */
export async function planAddresses(single: boolean): Promise<AddressPlan> {
  if (!single) {
    const start = randomInt(slots)
    for (let tried = 0; tried < slots; tried += 1) {
      const slot = 2 + ((start + tried) % slots)
      const lock = await tryLock(`127.${slot}.255.254`)
      if (lock === 'unavailable') break
      if (lock !== 'taken') return slotPlan(slot, lock)
    }
  }
  return singlePlan()
}

async function tryLock(host: string): Promise<Server | 'taken' | 'unavailable'> {
  const server = createServer((socket) => socket.destroy())
  try {
    server.listen({ host, port: lockPort, exclusive: true })
    await once(server, 'listening')
    server.unref()
    return server
  } catch (error) {
    return codeOf(error) === 'EADDRINUSE' ? 'taken' : 'unavailable'
  }
}

function slotPlan(slot: number, lock: Server): AddressPlan {
  const used = new Set<string>()
  let last = 1
  return {
    single: false,
    node: `127.${slot}.255.254`,
    takePod() {
      for (;;) {
        last = last >= 16_000 ? 2 : last + 1
        const address = `127.${slot}.${last >> 8}.${last & 255}`
        if (used.has(address) || (last & 255) === 0 || (last & 255) === 255) continue
        used.add(address)
        return address
      }
    },
    releasePod: (address) => {
      used.delete(address)
    },
    *serviceAddresses() {
      for (let number = 10; number < 16_000; number += 1) yield `127.${slot}.${96 + (number >> 8)}.${number & 255}`
    },
    isServiceAddress: (address) => {
      const [first, second, third] = address.split('.').map(Number)
      return first === 127 && second === slot && third !== undefined && third >= 96 && third < 160
    },
    async close() {
      const closed = once(lock, 'close')
      lock.close()
      await closed
    },
  }
}

function singlePlan(): AddressPlan {
  return {
    single: true,
    node: '127.0.0.1',
    takePod: () => '127.0.0.1',
    releasePod: () => undefined,
    *serviceAddresses() {
      for (let number = 10; number < 16_000; number += 1) yield `127.0.${96 + (number >> 8)}.${number & 255}`
    },
    isServiceAddress: (address) => address.startsWith('127.0.'),
    close: () => Promise.resolve(),
  }
}
