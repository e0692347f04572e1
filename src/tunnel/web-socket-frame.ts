const longest16 = 0xffff
const longestTiny = 125
const binaryMessage = 0x82
const maskBit = 0x80

/** Length of the header that `writeWebSocketHeader` writes. */
export function webSocketHeaderBytes(payloadBytes: number, masked: boolean): number {
  const key = masked ? 4 : 0
  if (payloadBytes <= longestTiny) return 2 + key
  return (payloadBytes <= longest16 ? 4 : 10) + key
}

/**
 * Writes the header of a whole binary WebSocket message (RFC 6455, section 5.2) to the start of `into`. A client's is
 * masked, as it must be, with the key 0, which leaves the payload as it is: what carries us is TLS, and nothing that we
 * send is chosen by a web page.
 */
export function writeWebSocketHeader(into: Buffer, payloadBytes: number, masked: boolean): void {
  const mask = masked ? maskBit : 0
  into[0] = binaryMessage
  let end = 2
  if (payloadBytes <= longestTiny) into[1] = mask | payloadBytes
  else if (payloadBytes <= longest16) {
    into[1] = mask | 126
    end = into.writeUInt16BE(payloadBytes, 2)
  } else {
    into[1] = mask | 127
    into.writeUInt32BE(0, 2)
    end = into.writeUInt32BE(payloadBytes, 6)
  }
  if (masked) into.fill(0, end, end + 4)
}
