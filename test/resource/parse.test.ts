import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InterceptInvalidError, parseIntercept } from '../../src/resource/parse.ts'

const publicKey = randomBytes(32).toString('base64')
const spec = { service: 'orders', ports: [{ port: 80 }], holder: 'ann', publicKey, client: { version: '0.1.0' } }

function intercept(changes: object = {}): Record<string, unknown> {
  return {
    apiVersion: 'intercept.dev/v1alpha1',
    kind: 'Intercept',
    metadata: { name: 'orders-ann', namespace: 'shop', uid: '1' },
    spec: { ...spec, ...changes },
  }
}

function fieldOf(object: unknown): string {
  try {
    parseIntercept(object)
  } catch (error) {
    if (error instanceof InterceptInvalidError) {
      expect(error.code).toBe('intercept-invalid')
      expect(error.message).toMatch(new RegExp(`^${error.field.replaceAll(/[.[\]]/g, '\\$&')}: .+`))
      return error.field
    }
    throw error
  }
  return ''
}

describe('parseIntercept', () => {
  it('fills in defaults and keeps metadata', () => {
    expect(parseIntercept(intercept())).toEqual({
      ...intercept(),
      spec: { ...spec, mode: 'intercept', onLocalDown: 'origin', holdSeconds: 10 },
    })
  })

  it('accepts a status as the proxy writes it', () => {
    const status = {
      phase: 'Active',
      connected: '2/2',
      conditions: [
        { type: 'Accepted', status: 'True', reason: 'Ok', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
      replicas: [
        {
          name: 'a',
          uid: 'b',
          connected: true,
          streams: 1,
          bytesIn: 2 ** 40,
          bytesOut: 0,
          lastSeen: '2026-01-01T00:00:00Z',
        },
      ],
    }
    expect(parseIntercept({ ...intercept(), status }).status).toEqual(status)
  })

  it.each([
    ['.', null],
    ['apiVersion', { ...intercept(), apiVersion: 'intercept.dev/v1' }],
    ['kind', { ...intercept(), kind: 'Service' }],
    ['metadata.namespace', { ...intercept(), metadata: { name: 'x' } }],
    ['spec', { ...intercept(), spec: undefined }],
    ['spec.service', intercept({ service: 'Not_A_Label' })],
    ['spec.service', intercept({ service: 'a'.repeat(64) })],
    ['spec.ports', intercept({ ports: [] })],
    ['spec.ports', intercept({ ports: [{ port: 80 }, { port: 80, name: 'http' }] })],
    ['spec.ports[1].port', intercept({ ports: [{ port: 80 }, { port: 65_536 }] })],
    ['spec.ports[0].port', intercept({ ports: [{ port: '80' }] })],
    ['spec.holder', intercept({ holder: '' })],
    ['spec.publicKey', intercept({ publicKey: randomBytes(31).toString('base64') })],
    ['spec.publicKey', intercept({ publicKey: randomBytes(32).toString('base64url').padEnd(44, '-') })],
    ['spec.onLocalDown', intercept({ onLocalDown: 'explode' })],
    ['spec.ttlSeconds', intercept({ ttlSeconds: 9 })],
    ['spec.client', intercept({ client: undefined })],
    ['spec.match.headers', intercept({ match: { headers: {} } })],
    ['spec.match', intercept({ match: {} })],
    ['spec.match.as', intercept({ match: { as: 'Ada' } })],
    ['spec.match.headers', intercept({ match: { headers: [] } })],
    ['spec.match.headers', intercept({ match: { headers: Array(17).fill({ name: 'x' }) } })],
    ['spec.match.headers[0].name', intercept({ match: { headers: [{ name: 'a b' }] } })],
    ['spec.match.headers[0]', intercept({ match: { headers: [{ name: 'a', equals: '', regex: '.' }] } })],
    ['spec.match.headers[0].regex', intercept({ match: { headers: [{ name: 'a', regex: '(?=a)' }] } })],
    ['spec.match.headers[0].regex', intercept({ match: { headers: [{ name: 'a', regex: '(a)\\1' }] } })],
    ['spec.match.paths[0]', intercept({ match: { paths: [{}] } })],
    ['spec.match.paths[0]', intercept({ match: { paths: [{ equals: '/', prefix: '/' }] } })],
    ['spec.match.methods[0]', intercept({ match: { methods: ['get'] } })],
    ['spec.match.hosts[0]', intercept({ match: { hosts: ['a:80'] } })],
    ['spec.match.percent.value', intercept({ match: { percent: { value: 100 } } })],
    ['spec.publicKey', intercept({ publicKey: undefined })],
    ['spec.to', intercept({ to: { kind: 'Service', name: 'pr' } })],
    ['spec.to.kind', intercept({ publicKey: undefined, to: { kind: 'Job', name: 'pr' } })],
    ['spec.mode', intercept({ mode: 'copy' })],
    ['status.phase', { ...intercept(), status: { phase: 'Odd' } }],
  ])('names the field that is wrong: %s', (field, object) => {
    expect(fieldOf(object)).toBe(field)
  })

  it('never throws anything but its own error, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (whole, part) => {
        for (const object of [
          whole,
          { ...intercept(), spec: part },
          intercept({ ports: part }),
          { ...intercept(), status: part },
        ]) {
          fieldOf(object)
        }
      }),
    )
  })
})
