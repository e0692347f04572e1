import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchFrom } from '../../cli/agent/match-from.ts'
import type { ParsedOptions } from '../../cli/command.ts'
import { describeMatch, flagsOf } from '../../src/match/describe.ts'
import { parseIntercept } from '../../src/resource/parse.ts'
import { someMatch } from '../match/arbitraries.ts'
import { interceptOf } from '../proxy-pod/support/objects.ts'

describe('flags', () => {
  test.each<[ParsedOptions, ReturnType<typeof matchFrom>, string]>([
    [{}, undefined, 'everything'],
    [{ as: 'ada' }, { as: 'ada' }, 'as ada'],
    [
      { header: ['x-user=ada=1', 'x-team~r.d', 'x-debug'] },
      {
        headers: [{ name: 'x-user', equals: 'ada=1' }, { name: 'x-team', regex: 'r.d' }, { name: 'x-debug' }],
      },
      '(x-user = ada=1 or x-team ~ r.d or x-debug present)',
    ],
    [{ header: ['x-user='] }, { headers: [{ name: 'x-user', equals: '' }] }, "x-user = ''"],
    [{ header: ['x-user=~ada'] }, { headers: [{ name: 'x-user', equals: '~ada' }] }, 'x-user = ~ada'],
    [
      { header: ['x-user=ada'], path: ['/orders/*'] },
      { headers: [{ name: 'x-user', equals: 'ada' }], paths: [{ prefix: '/orders/' }] },
      'path /orders/* and x-user = ada',
    ],
    [
      { path: ['/a', '~/b/[0-9]+'] },
      { paths: [{ equals: '/a' }, { regex: '/b/[0-9]+' }] },
      '(path /a or path ~/b/[0-9]+)',
    ],
    [{ method: ['get'] }, { methods: ['GET'] }, 'GET'],
    [{ query: ['user=ada'] }, { queries: [{ name: 'user', equals: 'ada' }] }, 'query user = ada'],
    [{ host: ['*.Example.com'] }, { hosts: ['*.example.com'] }, 'host *.example.com'],
    [
      { grpc: ['shop.Orders', 'shop.Stock/Get'] },
      { grpc: [{ service: 'shop.Orders' }, { service: 'shop.Stock', method: 'Get' }] },
      '(grpc shop.Orders or grpc shop.Stock/Get)',
    ],
    [{ percent: '5' }, { percent: { value: 5 } }, '5 %'],
    [{ percent: '5%:x-user' }, { percent: { value: 5, header: 'x-user' } }, '5 % by x-user'],
  ])('%j', (options, match, text) => {
    expect(matchFrom(options)).toEqual(match)
    expect(describeMatch(match)).toBe(text)
  })

  test.each<[ParsedOptions]>([
    [{ as: 'Ada Lovelace' }],
    [{ as: '' }],
    [{ header: ['=ada'] }],
    [{ header: ['x user=ada'] }],
    [{ header: ['x-user~(?=a)'] }],
    [{ header: ['x-user~'] }],
    [{ header: Array(17).fill('a=b') }],
    [{ path: ['orders'] }],
    [{ path: ['/orders?a=b'] }],
    [{ path: ['/orders/*/items'] }],
    [{ path: ['~('] }],
    [{ method: ['GET POST'] }],
    [{ host: ['https://shop.example.com'] }],
    [{ host: ['shop.example.com:80'] }],
    [{ grpc: ['shop.Orders/List/x'] }],
    [{ percent: '0' }],
    [{ percent: '100' }],
    [{ percent: '5:' }],
  ])('is refused with one that works: %j', (options) => {
    expect(() => matchFrom(options)).toThrow(
      expect.objectContaining({ code: 'bad-match', fix: expect.stringMatching(/^--/) }),
    )
  })

  test('the flags of a match give the match, and the resource takes it', () => {
    const option = { '--as': 'as', '--percent': 'percent' } as Record<string, string>
    fc.assert(
      fc.property(someMatch, (match) => {
        const words = flagsOf(match)
        const options: Record<string, string | string[]> = {}
        for (let index = 0; index < words.length; index += 2) {
          const [flag = '', value = ''] = words.slice(index)
          const single = option[flag]
          const name = flag.slice(2)
          if (single) options[single] = value
          else options[name] = [...(options[name] ?? []), value]
        }
        const hosts = match.hosts?.map((host) => host.toLowerCase())
        expect(matchFrom(options)).toEqual({ ...match, ...(hosts ? { hosts } : {}) })
        expect(parseIntercept(interceptOf({ spec: { match } })).spec.match).toEqual(match)
      }),
    )
  })

  test('a path that the command line would read otherwise becomes a regex', () => {
    expect(flagsOf({ paths: [{ equals: '/a*b' }, { prefix: '/a.*' }] })).toEqual([
      '--path',
      '~/a\\*b',
      '--path',
      '~/a\\.\\*.*',
    ])
  })
})
