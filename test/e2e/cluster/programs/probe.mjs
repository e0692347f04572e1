// Says as one JSON object what it finds of a pod's surroundings. Arguments: which of `asks`, default all.
import { createSocket } from 'node:dgram'
import { lookup, resolve6, resolveSrv } from 'node:dns/promises'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dial } from './dial.mjs'
import { sql } from './postgres.mjs'

const { env } = process
const full = (name) => `${name}.${env.NAMESPACE}.svc.cluster.local`
const outcome = async (ask) => {
  try {
    return await ask()
  } catch (error) {
    return error.cause?.code ?? error.code ?? String(error)
  }
}
const address = (name) => outcome(async () => (await lookup(name, { family: 4 })).address)

async function cache() {
  const socket = await dial(env.CACHE_HOST, Number(env.CACHE_PORT))
  socket.write('SET node kept\r\nGET node\r\nQUIT\r\n')
  let got = ''
  for await (const chunk of socket) got += chunk
  return got.split('\r\n').slice(0, 3).join(' ')
}

async function udp() {
  const socket = createSocket('udp4')
  socket.send('hello', 53_053, 'echo')
  const [message] = await once(socket, 'message', { signal: AbortSignal.timeout(20_000) })
  socket.close()
  return message.toString()
}

async function names() {
  const six = await outcome(() => resolve6(full('orders')))
  return {
    short: await address('orders'),
    namespaced: await address(`orders.${env.NAMESPACE}`),
    full: await address(full('orders')),
    headless: await address('db'),
    pod: await address('db-0.db'),
    alias: await address('partner'),
    six,
    none: await address('no-such-name'),
  }
}

const asks = {
  env: () => ({ greeting: env.GREETING, password: env.DB_PASSWORD }),
  file: () => readFileSync(`${env.INTERCEPT_ROOT ?? ''}/etc/app/app.json`, 'utf8'),
  names,
  srv: async () => {
    const [{ name, port }] = await resolveSrv(full('_sql._tcp.db'))
    return `${port} ${name}`
  },
  http: async () => (await fetch('http://orders/')).headers.get('x-who'),
  sql: () => sql('select 40 + 2'),
  cache,
  udp,
  refused: () => dial('db', 4),
  unreachable: () => dial(env.UNREACHABLE, 9),
}

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(asks)
const found = {}
for (const name of chosen) found[name] = await outcome(asks[name])
process.stdout.write(JSON.stringify(found), () => process.exit())
