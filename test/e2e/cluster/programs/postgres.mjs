import { dial } from './dial.mjs'

/** One value of one row, by the protocol's version 3 with a password in clear text. @param onAsked the query was sent */
export async function sql(query, { onAsked, connectMs } = {}) {
  const { env } = process
  const socket = await dial(env.DB_HOST, Number(env.DB_PORT), connectMs)
  const message = (type, body) => {
    const head = Buffer.alloc(4)
    head.writeInt32BE(body.length + 4)
    socket.write(Buffer.concat([Buffer.from(type), head, body]))
  }
  const version = Buffer.from([0, 3, 0, 0])
  message('', Buffer.concat([version, Buffer.from(`user\0${env.DB_USER}\0database\0${env.DB_NAME}\0\0`)]))
  let asked = false
  let value
  let got = Buffer.alloc(0)
  for await (const chunk of socket) {
    got = Buffer.concat([got, chunk])
    while (got.length >= 5 && got.length > got.readInt32BE(1)) {
      const type = String.fromCharCode(got[0])
      const body = got.subarray(5, 1 + got.readInt32BE(1))
      got = got.subarray(1 + got.readInt32BE(1))
      if (type === 'E') throw new Error(body.toString())
      if (type === 'R' && body.readInt32BE(0) === 3) message('p', Buffer.from(`${env.DB_PASSWORD}\0`))
      if (type === 'D') value = body.subarray(6, 6 + body.readInt32BE(2)).toString()
      if (type === 'Z') {
        if (asked) {
          socket.destroy()
          return value
        }
        asked = true
        message('Q', Buffer.from(`${query}\0`))
        onAsked?.()
      }
    }
  }
  throw new Error('the database hung up')
}
