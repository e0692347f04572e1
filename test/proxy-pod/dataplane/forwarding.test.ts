import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { expect, test } from 'vitest'
import { TlsCertificate } from '../../../proxy-pod/dataplane/tls-certificate.ts'
import { filteredClaim } from '../support/claims.ts'
import { claim, type Raw, Routed, server } from '../support/http2-port.ts'
import { laptop } from '../support/laptop.ts'
import { Port } from '../support/port.ts'
import { certificateFor, httpsServer } from '../support/tls.ts'
import { TunnelDouble } from '../support/tunnel-double.ts'

const forwarding = { via: 'intercept', xForwarded: true, forwarded: true }

test('HTTP/1.1: requests to the laptop and to the origin are told of the way that they came', async () => {
  const tunnel = new TunnelDouble()
  tunnel.laptop = (stream) => stream.accepts()
  const port = await Port.open({ claims: [filteredClaim(tunnel)], forwarding })
  const told =
    'Via: 1.1 intercept\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: orders\r\nX-Forwarded-Proto: http\r\n' +
    'Forwarded: for=127.0.0.1;host="orders";proto=http\r\n\r\n'
  const head = 'HTTP/1.1\r\nhost: orders\r\nx-forwarded-for: 192.0.2.1\r\n'
  const client = (await port.dial()).write(`POST / ${head}content-length: 2\r\n\r\nhi`)
  const origin = await (await port.origin.peer()).got(`POST / ${head}content-length: 2\r\n${told}hi`)
  origin.write('HTTP/1.1 204 No Content\r\n\r\n')
  await client.got('HTTP/1.1 204 No Content\r\n\r\n')
  client.write(`GET /mine ${head}\r\n`)
  const stream = await tunnel.stream()
  await stream.until((self) => self.text === `GET /mine ${head}${told}`)
})

test('raw connections are told nothing', async () => {
  const port = await Port.open({ forwarding })
  const text = 'GET / HTTP/1.1\r\nhost: orders\r\n\r\n'
  await port.dial().then((client) => client.write(text))
  await (await port.origin.peer()).got(text)
})

test('HTTP/2: the same fields, after those that were sent', async () => {
  const seen: Raw[] = []
  const peer = await server((stream, raw) => {
    seen.push(raw)
    stream.respond({ ':status': 204 }, { endStream: true })
  })
  const routed = await new Routed(peer.port, forwarding).listen()
  routed.claims(claim(await laptop(peer.port)))
  const client = routed.client()
  for (const headers of [{}, { 'x-intercept': 'ada' }]) {
    const stream = client.request({ ':authority': 'orders', 'x-forwarded-for': '192.0.2.1', ...headers })
    await new Promise((resolve) => stream.resume().once('close', resolve))
  }
  expect(seen).toHaveLength(2)
  for (const raw of seen) {
    const values = (name: string): string[] => raw.filter((_, at) => at % 2 === 1 && raw[at - 1] === name)
    expect(values('x-forwarded-for')).toEqual(['192.0.2.1', '127.0.0.1'])
    expect(values('x-forwarded-host')).toEqual(['orders'])
    expect(values('x-forwarded-proto')).toEqual(['http'])
    expect(values('via')).toEqual(['2.0 intercept'])
    expect(values('forwarded')).toEqual(['for=127.0.0.1;host="orders";proto=http'])
  }
})

test('what came over TLS came by https', async () => {
  const origin = await httpsServer('origin')
  const seen = new Promise<IncomingMessage>((resolve) => origin.server.once('request', resolve))
  const certificate = new TlsCertificate(await certificateFor('orders'))
  const claims = [filteredClaim(undefined, { tls: { certificate: () => certificate, toLocal: false } })]
  const endpoints = [{ address: '127.0.0.1', port: origin.port }]
  const port = await Port.open({ endpoints, claims, forwarding })
  const to = { host: '127.0.0.1', port: port.number, servername: 'orders', rejectUnauthorized: false, agent: false }
  await new Promise((resolve, reject) => {
    const asked = request(to, (response) => response.resume().once('end', resolve))
    asked.once('error', reject).end()
  })
  expect((await seen).headers).toMatchObject({ 'x-forwarded-proto': 'https', via: '1.1 intercept' })
})
