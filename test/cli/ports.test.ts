import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mapPorts, parsePortOption } from '../../cli/agent/ports.ts'
import { serviceOf } from '../proxy-pod/support/objects.ts'

describe('--port', () => {
  test.each([
    ['8080', { local: 8080, remote: undefined }],
    ['8080:80', { local: 8080, remote: '80' }],
    ['8080:http', { local: 8080, remote: 'http' }],
    ['65535:1', { local: 65_535, remote: '1' }],
  ])('%s', (text, option) => {
    expect(parsePortOption(text)).toEqual(option)
  })

  test.each(['', '0', '65536', '-1', '80x', 'http', ':80', '8080:', '1:2:3', '8080 ', '1e3', '0x50', '8080.5', '٨٠'])(
    'is no port: %j',
    (text) => {
      expect(() => parsePortOption(text)).toThrow(
        expect.objectContaining({ code: 'bad-port', fix: expect.stringContaining('--port') }),
      )
    },
  )

  test('whatever is typed: a local port that exists, or a refusal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9:a-z]{0,12}$/)), (text) => {
        try {
          const { local } = parsePortOption(text)
          expect(Number.isInteger(local) && local > 0 && local < 65_536).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-port' })
        }
      }),
    )
  })
})

describe('which port of the Service is meant', () => {
  const one = serviceOf({ ports: [{ port: 80, targetPort: 8080 }] })
  const several = serviceOf({
    ports: [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'debug', port: 9229 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  })
  const map = (service: typeof one, ...options: string[]) => mapPorts(service, options.map(parsePortOption))

  test('its only one, whatever the local port', () => {
    expect(map(one, '3000')).toEqual([{ port: 80, name: undefined, local: 3000 }])
  })

  test.each([
    ['by name', '3000:http', { port: 80, name: 'http', local: 3000 }],
    ['by number', '3000:9229', { port: 9229, name: 'debug', local: 3000 }],
    ['by its own number', '9229', { port: 9229, name: 'debug', local: 9229 }],
    ['by its target', '8080', { port: 80, name: 'http', local: 8080 }],
  ])('%s', (_name, option, mapping) => {
    expect(map(several, option)).toEqual([mapping])
  })

  test('several at once, also to one local port', () => {
    expect(map(several, '3000:http', '3000:debug')).toHaveLength(2)
  })

  test('one of several is not guessed: the message lists them, the fix names one', () => {
    expect(() => map(several, '3000')).toThrow(
      expect.objectContaining({
        code: 'ambiguous-port',
        message: 'Service orders has several ports: 80 (http), 9229 (debug)',
        fix: '--port 3000:http',
      }),
    )
  })

  test.each([
    ['a name that is not there', several, '3000:grpc'],
    ['a number that is not there', one, '3000:81'],
    ['a UDP port', several, '53:dns'],
    ['a Service with no TCP port', serviceOf({ ports: [{ port: 53, protocol: 'UDP' }] }), '3000'],
    ['a Service with no port at all', serviceOf({ ports: [] }), '3000:80'],
  ])('%s is refused', (_name, service, option) => {
    expect(() => map(service, option)).toThrow(expect.objectContaining({ code: 'no-such-port' }))
  })

  test('one port twice is refused', () => {
    expect(() => map(several, '3000:http', '3001:80')).toThrow(expect.objectContaining({ code: 'bad-port' }))
  })
})
