/** `web`: the shop's front end. It serves the page and passes orders on to the Service \`orders\`. */
export const webScript = `// web: the shop's front end. It serves one page and passes orders on to the Service orders.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { hostname } from 'node:os'

const page = readFileSync(process.env.PAGE ?? '/shop/page.html')
const orders = process.env.ORDERS_URL ?? 'http://orders'
const watchers = new Set()
const recent = []

function tell(answer) {
  const line = JSON.stringify({ ...answer, at: Date.now() })
  recent.push(line)
  if (recent.length > 30) recent.shift()
  for (const watcher of watchers) watcher.write('data: ' + line + '\\n\\n')
}

// A new connection for each order, as many small clients would make.
function order(item, tellOnce) {
  const started = performance.now()
  let told = false
  const done = (status, answer) => {
    if (!told) tellOnce(status, answer)
    told = true
  }
  const call = request(orders + '/?item=' + encodeURIComponent(item), { agent: false, timeout: 10000 }, (answer) => {
    let text = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk) => { text += chunk })
    answer.on('end', () => {
      const ms = Math.round((performance.now() - started) * 10) / 10
      try {
        done(answer.statusCode, { ...JSON.parse(text), ms })
      } catch (error) {
        done(502, { error: String(error), ms })
      }
    })
  })
  call.on('timeout', () => call.destroy(new Error('orders did not answer within 10 s')))
  call.on('error', (error) => done(502, { error: String(error) }))
  call.end()
}

createServer((request, response) => {
  const url = new URL(request.url, 'http://web')
  if (url.pathname === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(page)
  } else if (url.pathname === '/api/feed') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    for (const line of recent) response.write('data: ' + line + '\\n\\n')
    watchers.add(response)
    response.on('close', () => watchers.delete(response))
  } else if (url.pathname === '/api/order') {
    order(url.searchParams.get('item') ?? 'espresso', (status, answer) => {
      tell({ status, ...answer })
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ ...answer, web: process.env.POD_NAME ?? hostname() }))
    })
  } else {
    response.writeHead(404).end()
  }
}).listen(process.env.PORT ?? 8080)
`
