import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { ordersScript } from '../../cli/demo/shop/orders-script.ts'
import { shopObjects, shopYaml } from '../../cli/demo/shop/shop.ts'
import { LocalOrders } from '../../cli/demo/story/local-orders.ts'
import { Screen } from '../../cli/demo/story/screen.ts'
import { Traffic } from '../../cli/demo/story/traffic.ts'

async function serve(
  answer: (path: string) => { status: number; body: object },
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const { status, body } = answer(request.url ?? '')
    response.writeHead(status).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

async function ask(port: number): Promise<{ who: string; message: string; left: number }> {
  const [response] = await once(get({ host: '127.0.0.1', port, path: '/?item=baklava', agent: false }), 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return JSON.parse(text)
}

describe('the local orders', () => {
  let folder = ''
  let inventory: { server: Server; port: number }
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
    inventory = await serve(() => ({ status: 200, body: { left: 3, from: 'inventory' } }))
  })
  afterEach(() => {
    inventory.server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('answers as the laptop, again after a save, and tells of a mistake', async () => {
    const orders = await LocalOrders.start(folder, `http://127.0.0.1:${inventory.port}`)
    const restarted = () =>
      new Promise<string | undefined>((resolve) => {
        orders.onRestart = ({ error }) => resolve(error)
      })
    expect(await ask(orders.port)).toMatchObject({ who: 'laptop', message: 'Thank you for your order!', left: 3 })
    let next = restarted()
    writeFileSync(orders.file, ordersScript.replace('Thank you for your order!', 'Edited'))
    expect(await next).toBeUndefined()
    expect(await ask(orders.port)).toMatchObject({ message: 'Edited' })
    next = restarted()
    writeFileSync(orders.file, 'const = 1')
    expect(await next).toMatch(/^SyntaxError/)
    next = restarted()
    writeFileSync(orders.file, ordersScript)
    expect(await next).toBeUndefined()
    await orders.close()
    await expect(ask(orders.port)).rejects.toThrow('ECONNREFUSED')
  })
})

test('traffic counts by who answered, and by the phase in which a request was sent', async () => {
  let count = 0
  const web = await serve(() => {
    count += 1
    return count % 3 === 0
      ? { status: 502, body: { error: 'x' } }
      : { status: 200, body: { who: count % 3 === 1 ? 'laptop' : 'orders-1' } }
  })
  const traffic = new Traffic({ host: '127.0.0.1', port: web.port }, 1)
  await new Promise<void>((resolve) => {
    traffic.onAnswer = () => {
      if (count >= 12) resolve()
    }
  })
  traffic.phase = 'after'
  await traffic.stop()
  web.server.close()
  const { before, after } = traffic.tallies
  expect(before.laptop + before.cluster + before.failed + after.laptop + after.cluster + after.failed).toBe(count)
  expect(before.laptop).toBeGreaterThanOrEqual(4)
  expect(before.failed).toBeGreaterThanOrEqual(3)
  expect(traffic.byWho.get('orders-1')).toBe(before.cluster + after.cluster)
})

test('the screen shows who answers, redrawn in place on a terminal and in lines elsewhere', {
  timeout: 30_000,
}, async () => {
  const web = await serve(() => ({ status: 200, body: { who: 'laptop', message: 'Hello' } }))
  const traffic = new Traffic({ host: '127.0.0.1', port: web.port }, 5)
  const facts = { file: '/tmp/orders.mjs', page: 'http://127.0.0.1:1/', kubeconfig: '/tmp/k' }
  const shown = {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the cursor moves up by escape sequences
    terminal: /\u001b\[\d+F[\s\S]*laptop \d+/,
    pipe: /laptop \d+ {2}cluster 0 {2}failed in all 0/,
  }
  const texts = await Promise.all(
    [true, false].map(async (isTTY) => {
      const out = Object.assign(new PassThrough(), { isTTY, columns: 80 })
      let text = ''
      out.on('data', (chunk) => {
        text += String(chunk)
      })
      const screen = new Screen(out, traffic, facts)
      screen.tell('something happened')
      await vi.waitFor(() => expect(text).toMatch(isTTY ? shown.terminal : shown.pipe), { timeout: 20_000 })
      screen.close()
      return text
    }),
  )
  await traffic.stop()
  web.server.close()
  for (const text of texts) {
    expect(text).toContain('/tmp/orders.mjs')
    expect(text).toContain('export KUBECONFIG=/tmp/k')
    expect(text).toContain('something happened')
  }
  expect(texts[1]).not.toContain('\u001b[2K')
})

test('the shop as YAML is what is applied', () => {
  const documents = parseAllDocuments(shopYaml({ namespace: 'elsewhere' })).map((document) => document.toJS())
  expect(documents).toEqual(shopObjects({ namespace: 'elsewhere' }))
  expect(documents.map(({ kind }) => kind)).toEqual([
    'Namespace',
    'ConfigMap',
    'Service',
    'Service',
    'Service',
    'Deployment',
    'Deployment',
    'Deployment',
  ])
})
