import { describe, expect, it } from 'vitest'
import { proxyFor } from '../../src/kube/net/proxy.ts'

const via = 'http://proxy.corp:3128'

function chosen(server: string, env: Record<string, string>, proxyUrl?: string): string | undefined {
  return proxyFor(new URL(server), proxyUrl, env)?.href
}

describe('proxyFor', () => {
  it('goes by the scheme of the server', () => {
    expect(chosen('https://api:6443', { HTTPS_PROXY: via })).toBe(`${via}/`)
    expect(chosen('https://api:6443', { https_proxy: via })).toBe(`${via}/`)
    expect(chosen('https://api:6443', { HTTP_PROXY: via })).toBeUndefined()
    expect(chosen('http://api:8080', { HTTP_PROXY: via })).toBe(`${via}/`)
    expect(chosen('https://api:6443', { HTTPS_PROXY: 'proxy.corp:3128' })).toBe(`${via}/`)
    expect(chosen('https://api:6443', {})).toBeUndefined()
  })

  it("prefers the kubeconfig's own, which NO_PROXY does not touch", () => {
    expect(chosen('https://api', { HTTPS_PROXY: via, NO_PROXY: '*' }, 'socks5://jump:1080')).toBe('socks5://jump:1080')
  })

  it.each([
    ['*', true],
    ['api.corp', true],
    ['corp', true],
    ['.corp', true],
    ['*.corp', true],
    ['.api.corp', false],
    ['rp', false],
    ['api.corp:6443', true],
    ['api.corp:443', false],
    ['other, API.CORP', true],
    ['', false],
  ])('with NO_PROXY=%s: bypassed %s', (noProxy, bypassed) => {
    expect(chosen('https://api.corp:6443', { HTTPS_PROXY: via, NO_PROXY: noProxy })).toBe(
      bypassed ? undefined : `${via}/`,
    )
  })

  it.each([
    ['10.0.0.0/8', 'https://10.96.0.1', true],
    ['10.0.0.0/16', 'https://10.96.0.1', false],
    ['10.96.0.1', 'https://10.96.0.1:6443', true],
    ['10.96.0.10', 'https://10.96.0.1', false],
    ['fd00::1', 'https://[fd00::1]:6443', true],
    ['x', 'https://localhost:6443', true],
    ['x', 'https://127.0.0.1:6443', true],
  ])('with NO_PROXY=%s to %s: bypassed %s', (noProxy, server, bypassed) => {
    expect(chosen(server, { HTTPS_PROXY: via, NO_PROXY: noProxy })).toBe(bypassed ? undefined : `${via}/`)
  })
})
