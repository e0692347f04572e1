import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { Address } from '../network/reach.ts'
import type { HttpGet, Probe } from './pod.ts'

/** Runs a probe once. `reach`: where a port of the pod listens. `exec` is not supported and counts as a success. */
export async function runProbe(probe: Probe, reach: (port: number | string) => Address | undefined): Promise<boolean> {
  const timeoutMs = probe.timeoutSeconds * 1_000
  if (probe.httpGet) return httpGet(probe.httpGet, reach(probe.httpGet.port), timeoutMs)
  if (probe.tcpSocket) return tcpSocket(reach(probe.tcpSocket.port), timeoutMs)
  return true
}

/** Succeeds on 200 to 399, with any certificate. */
export function httpGet(get: HttpGet, address: Address | undefined, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    if (!address) {
      resolve(false)
      return
    }
    const send = get.scheme === 'HTTPS' ? httpsRequest : httpRequest
    const headers = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]))
    const request = send({
      ...address,
      host: get.host ?? address.host,
      path: get.path ?? '/',
      headers: { 'user-agent': 'kube-probe/1.34', ...headers },
      agent: false,
      rejectUnauthorized: false,
      timeout: timeoutMs,
    })
    request.on('response', (response) => {
      response.resume()
      const { statusCode = 0 } = response
      resolve(statusCode >= 200 && statusCode < 400)
      response.on('error', () => request.destroy())
    })
    request.on('timeout', () => request.destroy(new Error('timeout')))
    request.on('error', () => resolve(false))
    request.end()
  })
}

function tcpSocket(address: Address | undefined, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    if (!address) {
      resolve(false)
      return
    }
    const socket = connect({ ...address, timeout: timeoutMs })
    const finish = (connected: boolean) => {
      socket.destroy()
      resolve(connected)
    }
    socket.on('connect', () => finish(true))
    socket.on('timeout', () => finish(false))
    socket.on('error', () => finish(false))
  })
}
