/**
 * `orders`: takes an order and looks into the inventory. It runs in the cluster's pods, and as the demo's local file,
 * which is made to be edited.
 */
export const ordersScript = `// orders: takes an order, looks into the inventory, and says who answered.
import { createServer } from 'node:http'
import { hostname } from 'node:os'

const message = 'Thank you for your order!' // <- change me
const who = process.env.WHO ?? process.env.POD_NAME ?? hostname()
const inventory = process.env.INVENTORY_URL ?? 'http://inventory'

createServer(async (request, response) => {
  const item = new URL(request.url, 'http://orders').searchParams.get('item') ?? 'espresso'
  response.setHeader('content-type', 'application/json')
  try {
    const stock = await (await fetch(inventory + '/stock/' + encodeURIComponent(item))).json()
    response.end(JSON.stringify({ who, message, item, left: stock.left, inventory: stock.from }))
  } catch (error) {
    response.statusCode = 502
    response.end(JSON.stringify({ who, error: String(error.cause ?? error) }))
  }
}).listen(process.env.PORT ?? 8080, process.env.HOST)
`
