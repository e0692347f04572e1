/** The laptop's side: dials the cluster's gateway, pipes each stream to the local process. */
import { connect } from 'node:net'
import { connectTunnel, dialWebSocket, generateKeys, pipeSocket } from '../../src/tunnel/index.ts'
import { announce } from '../support/role.ts'

const [gateway, local] = process.argv.slice(2).map(Number)
connectTunnel({
  dial: (_lane, signal) => dialWebSocket({ url: `ws://127.0.0.1:${gateway}/`, signal }),
  keys: generateKeys(),
  claims: {},
  clientVersion: 'bench',
  events: {
    onState: (state) => {
      if (state === 'up') announce({ port: 0 })
    },
    onStream: (stream) => {
      const socket = connect({ port: local ?? 0, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
      pipeSocket(stream, socket)
    },
  },
})
