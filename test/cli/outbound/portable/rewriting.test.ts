import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Variable } from '../../../../cli/outbound/env/resolve.ts'
import { serviceLinks } from '../../../../cli/outbound/env/service-links.ts'
import { ClusterHosts } from '../../../../cli/outbound/portable/cluster-hosts.ts'
import { Rewriting } from '../../../../cli/outbound/portable/rewriting.ts'
import type { Service, ServicePort } from '../../../../src/kube/objects.ts'

const service = (name: string, namespace: string, clusterIP: string, ...ports: (number | ServicePort)[]): Service => ({
  metadata: { name, namespace },
  spec: { clusterIP, ports: ports.map((port) => (typeof port === 'number' ? { port } : port)) },
})
const services = [
  service('inventory', 'shop', '10.96.0.7', 80, 8080, { name: 'https', port: 8443 }),
  service('db', 'shop', '10.96.0.8', 5432),
  service('db', 'other', 'fd00::8', 5432),
  service('kafka', 'shop', 'None', 9092),
  service('redis', 'shop', '10.96.0.9', 6379),
  service('payments', 'shop', '10.96.0.10', 443, 80),
  service('stats', 'shop', '10.96.0.11', { name: 'udp', port: 8125, protocol: 'UDP' }, { name: 'http', port: 8126 }),
  service('kubernetes', 'default', '10.96.0.1', { name: 'https', port: 443 }),
]
const hosts = new ClusterHosts({ services, namespace: 'shop', domain: 'cluster.local' })

const environment = (values: Readonly<Record<string, string>>, source: Variable['source'] = 'value') =>
  new Map(Object.entries(values).map(([name, value]): [string, Variable] => [name, { value, source }]))

function rewriting(values: ReadonlyMap<string, Variable>) {
  const plan = new Rewriting(values, hosts)
  const local = (address: { host: string; port: number }): number =>
    1000 + plan.wanted.findIndex(({ host, port }) => host === address.host && port === address.port)
  const { values: after, rewritten } = plan.apply(local)
  return {
    wanted: plan.wanted.map(({ host, port }) => `${host}:${port}`),
    values: Object.fromEntries([...after].map(([name, { value }]) => [name, value])),
    rewritten: rewritten.map(({ variable, from, to }) => `${variable}: ${from} -> ${to}`),
    stays: plan.stays.map(({ variable, address, reason }) => `${variable}: ${address} ${reason}`),
  }
}
const rewrite = (values: Record<string, string>) => rewriting(environment(values))

describe('a value that names hosts of the cluster', () => {
  it.each([
    ['http://inventory:8080', 'http://127.0.0.1:1000'],
    ['http://inventory', 'http://127.0.0.1:1000'],
    ['HTTP://Inventory.Shop.SVC./a', 'HTTP://127.0.0.1:1000/a'],
    ['http://inventory/v1?next=http://db:5432', 'http://127.0.0.1:1000/v1?next=http://db:5432'],
    ['http://db.unseen.svc:81', 'http://127.0.0.1:1000'],
    ['postgres://u:p@db.other:5432/x?sslmode=disable', 'postgres://u:p@127.0.0.1:1000/x?sslmode=disable'],
    ['postgres://u:p@ss,w@db/x', 'postgres://u:p@ss,w@127.0.0.1:1000/x'],
    ['postgresql+asyncpg://u@db/x', 'postgresql+asyncpg://u@127.0.0.1:1000/x'],
    ['redis://:secret@redis/0', 'redis://:secret@127.0.0.1:1000/0'],
    ['redis://inventory-not/0 redis://redis', 'redis://inventory-not/0 redis://127.0.0.1:1000'],
    ['jdbc:postgresql://db:5432/x', 'jdbc:postgresql://127.0.0.1:1000/x'],
    ['jdbc:sqlserver://db:5432;databaseName=x', 'jdbc:sqlserver://127.0.0.1:1000;databaseName=x'],
    ['mongodb://kafka-0.kafka:27017,kafka-1.kafka/x', 'mongodb://127.0.0.1:1000,127.0.0.1:1001/x'],
    ['http://inventory:80,http://inventory:8080', 'http://127.0.0.1:1000,http://127.0.0.1:1001'],
    ['kafka-0.kafka:9092,kafka-1.kafka.shop:9092', '127.0.0.1:1000,127.0.0.1:1001'],
    ['kafka-0.kafka:9092, other.example:9092', '127.0.0.1:1000, other.example:9092'],
    ['inventory.shop.svc.cluster.local:8080', '127.0.0.1:1000'],
    ['tcp://10.96.0.7:8080', 'tcp://127.0.0.1:1000'],
    ['http://[fd00:0::8]:5432/', 'http://127.0.0.1:1000/'],
    ['-Xmx1g -Durl=http://inventory/x -Da=b', '-Xmx1g -Durl=http://127.0.0.1:1000/x -Da=b'],
    ['{"a":"http://inventory","b":["amqp://db:5432"]}', '{"a":"http://127.0.0.1:1000","b":["amqp://127.0.0.1:1001"]}'],
    ['u:p@tcp(db:5432)/x?parseTime=true', 'u:p@tcp(127.0.0.1:1000)/x?parseTime=true'],
    ['host=db port=5432 user=u', 'host=127.0.0.1 port=1000 user=u'],
    ['Host=db;Port=5432;Username=u', 'Host=127.0.0.1;Port=1000;Username=u'],
  ])('%s becomes %s', (value, expected) => {
    expect(rewrite({ A: value })).toMatchObject({ values: { A: expected }, stays: [] })
  })

  it.each([
    'https://api.example.com',
    'http://api.example:80',
    'inventory',
    'orders',
    'http://inventory:99999',
    'http://inventory:81',
    'custom://inventory',
    'udp://stats:8125',
    'inventory:8080:9090',
    'the inventory:8080',
    'redis:7',
    'stats:8125',
    'http://u:p@inventory@x:80',
    'http://inventory-2:80',
    'http://inventory_x',
    'inventory@db:5432',
    'file:///inventory:8080',
    '',
    '/inventory:8080',
    'host=db user=u',
  ])('%j stays, and is nothing to tell', (value) => {
    const { values, wanted, rewritten, stays } = rewrite({ A: value })
    expect({ values, wanted, rewritten, stays }).toEqual({ values: { A: value }, wanted: [], rewritten: [], stays: [] })
  })

  it.each([
    ['https://payments/x', 'A: payments:443 https'],
    ['wss://payments', 'A: payments:443 https'],
    ['tcp://payments:443', 'A: payments:443 https'],
    ['rediss://redis', 'A: redis:6379 tls'],
    ['postgres://u:p@db/x?sslmode=verify-full', 'A: db:5432 tls'],
    ['mongodb://kafka-0.kafka/x?a=b&tls=true', 'A: kafka-0.kafka:27017 tls'],
    ['mongodb+srv://u:p@kafka/x', 'A: kafka srv'],
  ])('%s stays, and is told', (value, told) => {
    expect(rewrite({ A: value })).toMatchObject({ values: { A: value }, wanted: [], stays: [told] })
  })

  it('of this machine stays', () => {
    const { values, wanted, stays } = rewriting(environment({ A: 'http://inventory', B: 'https://payments' }, 'local'))
    expect({ values, wanted, stays }).toEqual({
      values: { A: 'http://inventory', B: 'https://payments' },
      wanted: [],
      stays: [],
    })
  })
})

describe('variables that name one together', () => {
  it.each([
    ['DB_HOST', 'DB_PORT'],
    ['DB_HOSTNAME', 'DB_PORT'],
    ['DB_ADDR', 'DB_PORT'],
    ['DB_ADDRESS', 'DB_PORT'],
    ['PGHOST', 'PGPORT'],
    ['db.host', 'db.port'],
    ['DB_SERVICE_HOST', 'DB_SERVICE_PORT'],
  ])('%s and %s are rewritten together', (host, port) => {
    expect(rewrite({ [host]: 'db', X: 'db', [port]: '5432' })).toEqual({
      wanted: ['db:5432'],
      values: { [host]: '127.0.0.1', X: 'db', [port]: '1000' },
      rewritten: [`${host}: db:5432 -> 127.0.0.1:1000`, `${port}: db:5432 -> 127.0.0.1:1000`],
      stays: [],
    })
  })

  it.each([
    [{ DB_HOST: 'db.example.com', DB_PORT: '5432' }, []],
    [{ HOST: 'db', PORT: '5432' }, []],
    [{ HOST: '0.0.0.0', PORT: '8080' }, []],
    [{ DB_HOST: 'db' }, ['DB_HOST: db no-port']],
    [{ DB_HOST: 'db', DB_PORT: 'tcp' }, ['DB_HOST: db no-port']],
    [{ DB_HOST: 'db', DB_PORT: '9' }, ['DB_HOST: db unclear']],
    [{ DB_HOST: 'db', DB_ADDR: 'redis', DB_PORT: '5432' }, ['DB_HOST: db unclear', 'DB_ADDR: redis unclear']],
  ])('%j stay', (values, told) => {
    expect(rewrite(values as Record<string, string>)).toMatchObject({ values, wanted: [], stays: told })
  })

  it('stay where one of them is of this machine', () => {
    const values = new Map([...environment({ DB_HOST: 'db' }), ...environment({ DB_PORT: '5432' }, 'local')])
    expect(rewriting(values).values).toEqual({ DB_HOST: 'db', DB_PORT: '5432' })
  })
})

it('links to Services lead there, but for UDP and for the API server, whose certificate names it', () => {
  const links = serviceLinks(services, { namespace: 'shop', enabled: true })
  const { values, stays } = rewriting(environment(Object.fromEntries(links), 'service'))
  const after = (name: string): string => values[name] ?? ''
  const of = (port: string): string => after(port).replace(/^.*:/, '')
  expect(after('DB_SERVICE_HOST')).toBe('127.0.0.1')
  expect(after('DB_PORT')).toBe(`tcp://127.0.0.1:${after('DB_SERVICE_PORT')}`)
  expect(after('DB_PORT_5432_TCP_ADDR')).toBe('127.0.0.1')
  expect(after('DB_PORT_5432_TCP_PORT')).toBe(of('DB_PORT'))
  expect(after('INVENTORY_PORT_8080_TCP')).toMatch(/^tcp:\/\/127\.0\.0\.1:1\d{3}$/)
  expect(after('INVENTORY_PORT_8080_TCP')).not.toBe(after('INVENTORY_PORT_80_TCP'))
  for (const name of links.keys()) {
    if (/^KUBERNETES_|^STATS_.*(?:UDP|SERVICE)|^STATS_PORT$|_PROTO$/.test(name))
      expect(after(name)).toBe(links.get(name))
  }
  expect(after('STATS_PORT_8126_TCP_ADDR')).toBe('127.0.0.1')
  expect(stays).toContain('KUBERNETES_SERVICE_HOST: 10.96.0.1:443 https')
})

describe('whatever an environment holds', () => {
  const word = fc.constantFrom(
    ...[
      'http://',
      'inventory',
      'db.other',
      ':',
      ',',
      ' ',
      '5432',
      '8080',
      '@',
      '/',
      '?',
      '"',
      '[',
      ']',
      '.',
      'host=',
      ';',
    ],
    ...['port=', '://', 'jdbc:', '=', '127.0.0.1', 'https://', '@tcp(', ')', '-', 'é', '\n', 'x'],
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 12 }).map((words) => words.join('')),
  )
  const name = fc.constantFrom('A', 'B', 'DB_HOST', 'DB_PORT', 'DB_ADDR', 'X_SERVICE_HOST', 'X_SERVICE_PORT')

  it('only what is told changes; all else is the same byte for byte', () => {
    fc.assert(
      fc.property(fc.dictionary(name, text), (given) => {
        const before = environment(given)
        const plan = new Rewriting(before, hosts)
        // The same names back: then nothing may have changed but the form of an address.
        const { values, rewritten } = plan.apply(({ port }) => port)
        for (const [variable, { value }] of values) {
          const told = rewritten.filter((one) => one.variable === variable)
          if (told.length === 0) expect(value).toBe(given[variable])
          else expect(value).toContain(told[0]?.to.startsWith('127.') ? '' : 'never')
          const kept = (all: string): string => all.replaceAll(/127\.0\.0\.1|\[?[\w.:-]*\]?/g, '')
          expect(kept(value)).toBe(kept(given[variable] ?? ''))
        }
        expect([...values.keys()]).toEqual([...before.keys()])
      }),
      { numRuns: 2_000 },
    )
  })

  it('of no cluster is the same byte for byte', () => {
    const none = new ClusterHosts({ services: [], namespace: 'shop', domain: 'cluster.local' })
    fc.assert(
      fc.property(fc.dictionary(name, text), (given) => {
        const before = environment(given)
        const plan = new Rewriting(before, none)
        expect(plan.wanted).toEqual([])
        expect(plan.apply(() => 1).values).toEqual(before)
      }),
    )
  })

  it('is read in linear time', () => {
    for (const piece of [
      'a',
      'a:',
      'http://',
      'http://a@',
      '://',
      'a.',
      'a:1,',
      'x=a ',
      'jdbc:',
      'http://a,',
      '@tcp(',
    ]) {
      const value = piece.repeat(Math.ceil(100_000 / piece.length))
      const start = performance.now()
      rewrite({ A: value })
      expect(performance.now() - start, piece).toBeLessThan(2_000)
    }
  })
})
