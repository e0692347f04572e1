import { describe, expect, it } from 'vitest'
import { type Origins, rewriteAnswer, rewriteRequest } from '../../../cli/preview/rewrite.ts'

const origins: Origins = { local: 'http://localhost:4000', remote: ['http://web', 'http://web.shop'] }

describe('an answer on the loopback page', () => {
  it.each([
    ['http://web/login?next=%2F', 'http://localhost:4000/login?next=%2F'],
    ['http://web', 'http://localhost:4000'],
    ['http://web.shop/a', 'http://localhost:4000/a'],
    ['HTTP://WEB/a', 'http://localhost:4000/a'],
    ['/relative', '/relative'],
    ['http://webshop/a', 'http://webshop/a'],
    ['http://web:8080/a', 'http://web:8080/a'],
    ['https://login.example.com/?to=http://web/', 'https://login.example.com/?to=http://web/'],
  ])('redirects to %s lead to %s', (location, expected) => {
    const headers = { location }
    rewriteAnswer(headers, origins)
    expect(headers.location).toBe(expected)
  })

  it.each([
    ['a=1; Domain=web.shop; Path=/; HttpOnly', 'a=1; Path=/; HttpOnly'],
    ['a=1; Secure; SameSite=Lax', 'a=1; SameSite=Lax'],
    ['a=1; SameSite=None; Secure', 'a=1; SameSite=None; Secure'],
    ['__Host-a=1; Path=/; secure', '__Host-a=1; Path=/; secure'],
    ['a=domain=x', 'a=domain=x'],
  ])('the cookie %s becomes %s', (cookie, expected) => {
    const headers = { 'set-cookie': [cookie] }
    rewriteAnswer(headers, origins)
    expect(headers['set-cookie']).toEqual([expected])
  })

  it('is allowed to the page itself, and does not make the browser insist on TLS', () => {
    const headers = { 'access-control-allow-origin': 'http://web', 'strict-transport-security': 'max-age=1' }
    rewriteAnswer(headers, origins)
    expect(headers).toEqual({ 'access-control-allow-origin': 'http://localhost:4000' })
  })
})

describe('a request of the loopback page', () => {
  it('seems to come from a page of the remote origin', () => {
    const headers = { host: 'localhost:4000', origin: 'http://localhost:4000', referer: 'http://localhost:4000/a?b' }
    rewriteRequest(headers, origins)
    expect(headers).toEqual({ host: 'web', origin: 'http://web', referer: 'http://web/a?b' })
  })

  it('of another origin keeps it', () => {
    const headers = { host: 'localhost:4000', origin: 'http://localhost:4001', referer: 'http://localhost:40001/' }
    rewriteRequest(headers, origins)
    expect(headers).toEqual({ host: 'web', origin: 'http://localhost:4001', referer: 'http://localhost:40001/' })
  })
})
