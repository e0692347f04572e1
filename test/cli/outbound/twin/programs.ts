/** What programs in a twin do, whatever the family of the addresses. */

/** Says `HOST ERRNO SYSCALL` of a connection to port 1 of each. */
export const dialErrors = (hosts: readonly string[]): string => `
  import { connect } from 'node:net'
  for (const host of ${JSON.stringify(hosts)}) {
    const error = await new Promise((resolve) => connect(1, host).once('error', resolve))
    say(host + ' ' + error.code + ' ' + error.syscall)
  }
`

/** Says the answer to a datagram to port 9000, and the errno of one to port 9001. @param sender says of `from` who it was */
export const datagrams = (type: 'udp4' | 'udp6', host: string, sender: string): string => `
  import { createSocket } from 'node:dgram'
  const socket = createSocket('${type}')
  const answer = new Promise((resolve) => socket.once('message', (message, from) => resolve(message + ' from ' + ${sender})))
  socket.send('one', 9000, '${host}')
  say(await answer)
  socket.close()
  const refused = createSocket('${type}')
  refused.connect(9001, '${host}', () => refused.send('x'))
  const error = await new Promise((resolve) => refused.once('error', resolve))
  say(error.code)
  refused.close()
`

/** Says what it gets of that port of localhost, to which it says `from inside`. */
export const asksLocalhost = (port: number, host: string): string => `
  import { connect } from 'node:net'
  const socket = connect(${port}, '${host}')
  socket.end('from inside')
  let got = ''
  for await (const chunk of socket) got += chunk
  say(got)
`
