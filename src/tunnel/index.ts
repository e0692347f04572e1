/**
 * What joins a laptop to one proxy pod: carriers (WebSockets that come and go) carry resumable sessions, which carry
 * streams. In here: frames, flow control, resumption, lanes, the login by key. Not in here: Kubernetes, HTTP, and what
 * a stream's header or a login's claims mean. Imports nothing of ours but errors.
 */
export { acceptWebSockets, type WebSocketAcceptor } from './accept-web-sockets.ts'
export { type AnswerOptions, answerStream } from './answer-stream.ts'
export { type ConnectOptions, connectTunnel } from './connect-tunnel.ts'
export { dialWebSocket, type WebSocketTarget } from './dial-web-socket.ts'
export { duplexOf } from './duplex-of.ts'
export { TunnelError } from './error.ts'
export type { Hello, Refusal } from './handshake.ts'
export { generateKeys, type TunnelKeys } from './keys.ts'
export { type TunnelLimits, tunnelLimits } from './limits.ts'
export { MemoryCarrier } from './memory-carrier.ts'
export { openedStream } from './opened-stream.ts'
export { type PipeOptions, type PipeOutcome, pipeSocket } from './pipe-socket.ts'
export {
  type Authorization,
  createTunnelServer,
  type TunnelServer,
  type TunnelServerOptions,
} from './tunnel-server.ts'
export type {
  Carrier,
  StreamHandlers,
  StreamHeader,
  Tunnel,
  TunnelEvents,
  TunnelState,
  TunnelStateDetail,
  TunnelStats,
  TunnelStream,
} from './types.ts'
export { webSocketCarrier } from './web-socket-carrier.ts'
