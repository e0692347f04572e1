import { describe, expect, test } from 'vitest'
import { compileMatch } from '../../src/match/compile.ts'
import type { RequestHead } from '../../src/match/request.ts'
import type { Match } from '../../src/resource/intercept.ts'

const request = (changes: Partial<RequestHead> = {}): RequestHead => ({
  method: 'GET',
  target: '/orders/1?limit=5&q=a+b%20c&limit=6&flag',
  authority: 'Shop.Example.com:8080',
  rawHeaders: ['X-User', 'ada', 'accept', 'a', 'Accept', 'b', 'cookie', 'a=1', 'cookie', 'b=2', 'x-empty', ''],
  ...changes,
})

const matches = (match: Match, changes: Partial<RequestHead> = {}, client = '10.0.0.1'): boolean =>
  compileMatch(match, 'salt')(request(changes), client)

const headers = (...rawHeaders: string[]) => ({ rawHeaders })

describe('one condition', () => {
  test.each<[string, Match, boolean]>([
    ['a header, in any case', { headers: [{ name: 'x-uSER', equals: 'ada' }] }, true],
    ['another value', { headers: [{ name: 'x-user', equals: 'Ada' }] }, false],
    ['fields of one name are joined', { headers: [{ name: 'accept', equals: 'a, b' }] }, true],
    ['one of several fields', { headers: [{ name: 'accept', equals: 'a' }] }, false],
    ['cookies are joined as cookies are', { headers: [{ name: 'cookie', equals: 'a=1; b=2' }] }, true],
    ['a regex is of the whole value', { headers: [{ name: 'x-user', regex: 'ad' }] }, false],
    ['a regex', { headers: [{ name: 'x-user', regex: 'a[d]a|bob' }] }, true],
    ['present', { headers: [{ name: 'x-empty' }] }, true],
    ['absent', { headers: [{ name: 'x-other' }] }, false],
    ['any of a list', { headers: [{ name: 'x-other' }, { name: 'x-user' }] }, true],
    ['a path, without the query', { paths: [{ equals: '/orders/1' }] }, true],
    ['a prefix is of characters', { paths: [{ prefix: '/ord' }] }, true],
    ['another prefix', { paths: [{ prefix: '/orders/2' }] }, false],
    ['a path regex', { paths: [{ regex: '/orders/[0-9]+' }] }, true],
    ['a path regex that ends before', { paths: [{ regex: '/orders' }] }, false],
    ['a method', { methods: ['POST', 'GET'] }, true],
    ['another method', { methods: ['POST'] }, false],
    ['a parameter: its first value', { queries: [{ name: 'limit', equals: '5' }] }, true],
    ['not its second', { queries: [{ name: 'limit', equals: '6' }] }, false],
    ['decoded', { queries: [{ name: 'q', equals: 'a b c' }] }, true],
    ['a parameter that is present', { queries: [{ name: 'flag' }] }, true],
    ['a parameter that is not', { queries: [{ name: 'fla' }] }, false],
    ['a host without its port, in any case', { hosts: ['shop.example.COM'] }, true],
    ['a host below', { hosts: ['*.example.com'] }, true],
    ['not below', { hosts: ['*.shop.example.com'] }, false],
    ['gRPC is a POST', { grpc: [{ service: 'shop.Orders' }] }, false],
    [
      'all together',
      { methods: ['GET'], paths: [{ prefix: '/' }], headers: [{ name: 'x-user', equals: 'bob' }] },
      false,
    ],
  ])('%s', (_name, match, expected) => {
    expect(matches(match)).toBe(expected)
  })

  test.each<[string, string]>([
    ['http://shop.example.com/a?x', '/a'],
    ['HTTP://shop.example.com', '/'],
    ['http://shop.example.com?x=/b', '/'],
    ['*', '*'],
    ['/a//b/../c%2f', '/a//b/../c%2f'],
    ['//a', '//a'],
  ])('the path of %s', (target, path) => {
    expect(matches({ paths: [{ equals: path }] }, { target })).toBe(true)
  })

  test('hosts that are addresses', () => {
    expect(matches({ hosts: ['10.0.0.1'] }, { authority: '10.0.0.1:80' })).toBe(true)
    expect(matches({ hosts: ['a'] }, { authority: '' })).toBe(false)
  })

  test('gRPC by service and by method', () => {
    const call = { method: 'POST', target: '/shop.Orders/List', ...headers('Content-Type', 'application/grpc+proto') }
    expect(matches({ grpc: [{ service: 'shop.Orders' }] }, call)).toBe(true)
    expect(matches({ grpc: [{ service: 'shop.Orders', method: 'List' }] }, call)).toBe(true)
    expect(matches({ grpc: [{ service: 'shop.Orders', method: 'Lis' }] }, call)).toBe(false)
    expect(matches({ grpc: [{ service: 'shop.Order' }] }, call)).toBe(false)
    expect(matches({ grpc: [{ service: 'shop.Orders' }] }, { ...call, ...headers('content-type', 'text/html') })).toBe(
      false,
    )
  })

  test('a regex that would stall a backtracking engine', () => {
    const before = performance.now()
    expect(matches({ headers: [{ name: 'x', regex: '(a+)+b' }] }, headers('x', 'a'.repeat(50_000)))).toBe(false)
    expect(performance.now() - before).toBeLessThan(2_000)
  })
})

describe('as', () => {
  test.each<[string, string[], string | undefined]>([
    ['the header', ['X-Intercept', 'ada'], 'ada'],
    ['its first value', ['x-intercept', ' ada , bob'], 'ada'],
    ['its first field', ['x-intercept', 'ada', 'x-intercept', 'bob'], 'ada'],
    ['the header before baggage', ['baggage', 'intercept=bob', 'x-intercept', 'ada'], 'ada'],
    ['an empty header is nobody, whatever baggage says', ['x-intercept', '', 'baggage', 'intercept=bob'], undefined],
    ['baggage', ['baggage', 'intercept=ada'], 'ada'],
    ['baggage among others', ['Baggage', 'userId=1,intercept=ada,serverNode=DF%2028'], 'ada'],
    ['spaces and properties', ['baggage', 'a=1 ,\t intercept =\t ada ; ttl=3;x, b=2'], 'ada'],
    ['in a second field', ['baggage', 'a=1', 'baggage', 'intercept=ada'], 'ada'],
    ['the first of two', ['baggage', 'intercept=ada,intercept=bob'], 'ada'],
    ['encoded', ['baggage', 'intercept=%61d%61'], 'ada'],
    ['encoded badly', ['baggage', 'intercept=%zzada'], undefined],
    ['a property of that name is none', ['baggage', 'a=1;intercept=ada'], undefined],
    ['names are told apart by case', ['baggage', 'Intercept=ada'], undefined],
    ['no value', ['baggage', 'intercept'], undefined],
    ['nothing', [], undefined],
  ])('%s', (_name, rawHeaders, person) => {
    expect(matches({ as: 'ada' }, { rawHeaders })).toBe(person === 'ada')
    expect(matches({ as: 'bob' }, { rawHeaders })).toBe(false)
  })
})

describe('percent', () => {
  const clients = Array.from({ length: 20_000 }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)
  const share = (test: (client: string) => boolean): number => clients.filter(test).length / clients.length

  test.each([1, 5, 50, 99])('%d of a hundred clients', (value) => {
    const matcher = compileMatch({ percent: { value } }, 'a')
    const expected = value / 100
    // Four standard deviations.
    const margin = 4 * Math.sqrt((expected * (1 - expected)) / clients.length)
    expect(Math.abs(share((client) => matcher(request(), client)) - expected)).toBeLessThan(margin)
  })

  test('always the same ones, on every replica, and they stay when it grows', () => {
    const [one, again, more] = [5, 5, 10].map((value) => compileMatch({ percent: { value } }, 'a'))
    for (const client of clients.slice(0, 2_000)) {
      const isIn = one?.(request(), client)
      expect(again?.(request(), client)).toBe(isIn)
      if (isIn) expect(more?.(request(), client)).toBe(true)
      expect(one?.(request(), `::ffff:${client}`)).toBe(isIn)
    }
  })

  test('two intercepts choose by themselves', () => {
    const [one, other] = ['a', 'b'].map((salt) => compileMatch({ percent: { value: 50 } }, salt))
    const both = share((client) => one?.(request(), client) === true && other?.(request(), client) === true)
    expect(Math.abs(both - 0.25)).toBeLessThan(0.02)
  })

  test('by a header; without it by the client', () => {
    const matcher = compileMatch({ percent: { value: 50, header: 'X-User' } }, 'a')
    const of = (client: string, ...rawHeaders: string[]) => matcher(request({ rawHeaders }), client)
    const users = clients.slice(0, 500)
    expect(users.every((user) => of('1.1.1.1', 'x-user', user) === of('2.2.2.2', 'X-USER', user))).toBe(true)
    expect(new Set(users.map((user) => of('1.1.1.1', 'x-user', user))).size).toBe(2)
    expect(new Set(users.map((client) => of(client))).size).toBe(2)
  })

  test('of the requests that fulfil the rest', () => {
    expect(matches({ percent: { value: 99 }, methods: ['POST'] })).toBe(false)
  })
})
