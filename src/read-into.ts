import type { OnReadOpts, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Takes the bytes of a socket in memory of its own, where the socket's stream would bring each piece in a new buffer. */
export interface ByteTaker {
  /** Where the next bytes go, at least one. Asked again after each read. */
  room(): Buffer
  /** So many bytes are at the start of the last room. To stop, pause the socket. */
  filled(bytes: number): void
}

const leastRoomBytes = 4 * 1_024
const mostReads = 8

/** Memory for what a socket reads: one view for each read, with as much room as its reads have lately needed. */
export class ReadRoom {
  readonly #mostBytes: number
  #slab = Buffer.alloc(0)
  #end = 0
  #slabBytes = leastRoomBytes
  #reads = 0
  #full = false

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  room(): Buffer {
    if (this.#end * 2 >= this.#slab.length) {
      if (this.#full) this.#slabBytes = Math.min(this.#slabBytes * 4, this.#mostBytes)
      else if (this.#reads >= mostReads) this.#slabBytes = Math.max(Math.floor(this.#slabBytes / 4), leastRoomBytes)
      this.#slab = Buffer.allocUnsafeSlow(this.#slabBytes)
      this.#end = 0
      this.#reads = 0
      this.#full = false
    }
    return this.#slab.subarray(this.#end)
  }

  /** The bytes that were put to the start of the last room. */
  take(bytes: number): Buffer {
    const start = this.#end
    this.#end += bytes
    this.#reads += 1
    this.#full = this.#end === this.#slab.length
    return this.#slab.subarray(start, this.#end)
  }
}

interface Reads {
  taker: ByteTaker | undefined
}

const streamRoomBytes = 64 * 1_024
const readsOf = new WeakMap<Duplex, Reads>()

/**
 * A connection whose bytes `readInto` can give to another than its stream; until then it is a socket as any other.
 * `open` dials with the options of node:net or node:tls that it gets, and does not read from another socket.
 */
export function openReadable<S extends Socket>(open: (options: { readonly onread: OnReadOpts }) => S): S {
  const reads: Reads = { taker: undefined }
  const ofStream = new ReadRoom(streamRoomBytes)
  /** Whose the memory is that is being read into; undefined: the stream's. */
  let owner: ByteTaker | undefined
  const socket: S = open({
    onread: {
      buffer: () => {
        // While the stream holds something, what follows goes there too: nobody's memory is lent for long.
        const { taker } = reads
        owner = taker && socket.readableLength === 0 && !socket.isPaused() ? taker : undefined
        return owner ? owner.room() : ofStream.room()
      },
      callback: (bytes, into) => {
        if (!owner) return socket.push(ofStream.take(bytes))
        // Paused meanwhile, or taken by another. TLS brings what it has decrypted, pause or no pause.
        const wanted = owner === reads.taker && !socket.isPaused()
        if (!wanted) return socket.push(Buffer.from(into.subarray(0, bytes)))
        owner.filled(bytes)
        return true
      },
    },
  })
  readsOf.set(socket, reads)
  return socket
}

/**
 * From the next read on `taker` gets what arrives, and the socket's 'data' only what had been read before then or before
 * a pause; both together are everything, in order. End, errors, pause and resume stay the socket's. Undefined: all of it
 * is 'data' again, as on a socket that was not opened for it.
 */
export function readInto(socket: Duplex, taker: ByteTaker | undefined): void {
  const reads = readsOf.get(socket)
  if (reads) reads.taker = taker
}
