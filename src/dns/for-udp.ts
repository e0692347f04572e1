import { headerBytes } from './header.ts'
import { readQuery } from './message.ts'

/** What every resolver takes over UDP (RFC 1035, 4.2.1). */
const leastBytes = 512
const truncatedBit = 0x0200

/**
 * The answer as it may go over UDP to whoever sent the query: what is longer than it takes is cut down to the question
 * and says so, then it asks again over TCP.
 */
export function forUdp(answer: Buffer, query: Buffer): Buffer {
  const read = readQuery(query)
  const wanted = read.kind === 'query' ? (read.query.udpPayloadBytes ?? leastBytes) : leastBytes
  if (answer.length <= Math.max(leastBytes, wanted)) return answer
  const questionEnd = read.kind === 'query' ? endOfQuestion(query) : headerBytes
  const cut = Buffer.concat([answer.subarray(0, headerBytes), query.subarray(headerBytes, questionEnd)])
  cut.writeUInt16BE(cut.readUInt16BE(2) | truncatedBit, 2)
  cut.writeUInt16BE(questionEnd > headerBytes ? 1 : 0, 4)
  for (const count of [6, 8, 10]) cut.writeUInt16BE(0, count)
  return cut
}

/** Labels up to the empty one, then type and class. Only of a query that was read. */
function endOfQuestion(query: Buffer): number {
  let at = headerBytes
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) at += 1 + length
  return at + 5
}
