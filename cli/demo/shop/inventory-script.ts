/** `inventory`: how many of an item are left. Runs in the cluster only. */
export const inventoryScript = `// inventory: how many of an item are left.
import { createServer } from 'node:http'
import { hostname } from 'node:os'

const stock = { espresso: 41, cortado: 7, croissant: 12, baklava: 3 }

createServer((request, response) => {
  const item = decodeURIComponent(request.url.split('/')[2] ?? '')
  response.setHeader('content-type', 'application/json')
  response.statusCode = item in stock ? 200 : 404
  response.end(JSON.stringify({ item, left: stock[item] ?? 0, from: process.env.POD_NAME ?? hostname() }))
}).listen(process.env.PORT ?? 8080)
`
