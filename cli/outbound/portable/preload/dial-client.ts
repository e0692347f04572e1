import { connect, type Socket } from 'node:net'
import { type DialAnswer, type DialRequest, mostLineBytes } from './wire.ts'

/**
 * Asks the DialServer for a connection. It stays open until that has come (or the asker destroys it, which means that
 * nothing is wanted any more). @param server `127.0.0.1:PORT` @param told once
 */
export function askForConnection(server: string, request: DialRequest, told: (answer: DialAnswer) => void): Socket {
  const [host = '', port = ''] = server.split(':')
  const socket = connect({ host, port: Number(port), noDelay: true })
  let text = ''
  let isTold = false
  const tell = (answer: DialAnswer): void => {
    if (isTold) return
    isTold = true
    told(answer)
  }
  socket.write(`${JSON.stringify(request)}\n`)
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    if (isTold) return
    text += chunk
    const end = text.indexOf('\n')
    if (end !== -1) tell(JSON.parse(text.slice(0, end)) as DialAnswer)
    else if (text.length > mostLineBytes) socket.destroy()
  })
  // Whatever it is: who leads into the cluster is gone.
  socket.on('error', () => tell({ code: 'ENETUNREACH' }))
  socket.on('close', () => tell({ code: 'ENETUNREACH' }))
  return socket
}
