import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { pods } from '../../src/kube/resources.ts'
import { connectionType } from '../../src/resource/connection.ts'
import { findChromium, launchBrowser } from './support/browser.ts'
import { isReady, proxyPods } from './support/proxy-pods.ts'
import { scenario } from './support/scenario.ts'
import { expectAsBefore } from './support/snapshot.ts'
import { until } from './support/until.ts'

const s = scenario()
const chromium = findChromium()

afterEach(async () => {
  await s.endRuns()
  await expectAsBefore(s.kube, s.namespace, s.before)
}, 60_000)

async function preview(...args: string[]): Promise<{ run: ReturnType<typeof s.cliHere>; url: string }> {
  const run = s.cliHere('preview', ...args)
  return { run, url: String((await run.until('active')).url) }
}

const whoAt = async (url: string, init?: RequestInit): Promise<string> => {
  const answer = await fetch(url, init)
  await answer.arrayBuffer()
  return answer.headers.get('x-who') ?? `status ${answer.status}`
}

test("shows a person's own requests, and needs no intercept", async () => {
  const { run, url } = await preview('svc/orders', '--as', 'ada')
  expect(await whoAt(`${url}/`)).toMatch(/^orders-/)
  const { run: hers } = await s.intercept('svc/orders', '--port', String(s.local.ports.http), '--as', 'ada')
  let inRow = 0
  await until('the page shows hers', async () => {
    inRow = (await whoAt(`${url}/`)) === 'laptop' ? inRow + 1 : 0
    return inRow >= 8
  })
  const { rawHeaders } = (await (await fetch(`${url}/headers`)).json()) as { rawHeaders: string[] }
  const fieldOf = (name: string) => rawHeaders[rawHeaders.findIndex((one) => one.toLowerCase() === name) + 1]
  expect([fieldOf('x-intercept'), fieldOf('baggage'), fieldOf('host')]).toEqual(['ada', 'intercept=ada', 'orders'])
  const { run: other, url: others } = await preview('svc/orders', '--as', 'eve')
  expect(await whoAt(`${others}/`)).toMatch(/^orders-/)
  expect(await s.kube.list(connectionType, { namespace: s.namespace })).toHaveLength(2)
  for (const one of [other, hers, run]) expect(await one.interrupt()).toBe(0)
})

test.skipIf(chromium === undefined)(
  'a browser sees the page, with fetch, WebSocket, events, cookie, redirect',
  async () => {
    const { run: hers } = await s.intercept('svc/orders', '--port', String(s.local.ports.http), '--as', 'ada')
    await s.propagated('orders')
    const { run, url } = await preview('svc/orders', '--as', 'ada')
    const browser = await launchBrowser(chromium ?? '')
    try {
      const page = await browser.newPage()
      await page.goto(`${url}/login`)
      expect(page.url()).toBe(`${url}/page`)
      expect(await page.title()).toBe('laptop')
      const text = (id: string) => page.locator(`#${id}`).textContent()
      await page.waitForFunction("['fetch', 'socket', 'events'].every((id) => document.getElementById(id).textContent)")
      expect(await Promise.all(['cookie', 'fetch', 'socket', 'events'].map(text))).toEqual([
        'session=laptop',
        'laptop',
        'hello from laptop',
        'laptop',
      ])
    } finally {
      await browser.close()
    }
    expect(await run.interrupt()).toBe(0)
    expect(await hers.interrupt()).toBe(0)
  },
)

test("a front-end developer's own dev server stands in front of the cluster", async () => {
  const dev = createServer((request, response) => {
    const known = request.url === '/app.js'
    response.writeHead(known ? 200 : 404, { 'x-who': 'dev' }).end()
  }).listen(0, '127.0.0.1')
  await once(dev, 'listening')
  const { port } = dev.address() as AddressInfo
  const { run, url } = await preview('svc/orders', '--as', 'ada', '--serve', `${port}=/`, '--cluster', '/api')
  expect(await whoAt(`${url}/app.js`)).toBe('dev')
  expect(await whoAt(`${url}/api/orders`, { method: 'POST', body: '{}' })).toMatch(/^orders-/)
  expect(await whoAt(`${url}/other`)).toMatch(/^orders-/)
  expect(await run.interrupt()).toBe(0)
  dev.close()
  dev.closeAllConnections()
})

test('goes on when the proxy pod that it went through is gone', async () => {
  const { run, url } = await preview('svc/orders', '--as', 'ada')
  expect(await whoAt(`${url}/`)).toMatch(/^orders-/)
  const killed = await proxyPods(s.kube)
  for (const { metadata } of killed)
    await s.kube.delete(pods, metadata.namespace, metadata.name, { gracePeriodSeconds: 0 })
  await until('the page again', async () => (await whoAt(`${url}/`)).startsWith('orders-'))
  await until('both proxy pods', async () => (await proxyPods(s.kube)).filter(isReady).length === killed.length)
  expect(await run.interrupt()).toBe(0)
})

test('says what is wrong before it opens anything', async () => {
  const refused = async (...args: string[]) => {
    const run = s.cliHere('preview', ...args)
    const { error } = (await run.until('error')) as unknown as { error: { code: string; fix?: string } }
    expect((await run.ended).code).not.toBe(0)
    return error.code
  }
  expect(await refused('svc/orders')).toBe('usage')
  expect(await refused('svc/nothing', '--as', 'ada')).toBe('service-not-found')
  expect(await refused('svc/orders', '--as', 'ada', '--port', '81')).toBe('no-such-port')
  expect(await refused('--as', 'ada', '--url', 'ftp://x')).toBe('bad-url')
  expect(await refused('svc/orders', '--as', 'ada', '--serve', 'x')).toBe('bad-serve')
})
