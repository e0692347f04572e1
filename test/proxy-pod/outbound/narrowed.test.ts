import { expect, test } from 'vitest'
import { Narrowed } from '../../../proxy-pod/outbound/narrowed.ts'
import { parseOutboundRule } from '../../../src/resource/outbound-rule.ts'

const names: Record<string, string[]> = { 'db.example': ['10.0.0.5', 'fd00::5'] }

function narrowed(allow: string[], deny: string[], now = () => 0, asked: string[] = []): Narrowed {
  const rules = { allow: allow.map(parseOutboundRule), deny: deny.map(parseOutboundRule) }
  return new Narrowed(
    rules,
    async (name) => {
      asked.push(name)
      return names[name] ?? []
    },
    now,
  )
}

const at = (text: string) => {
  const [host = '', port] = text.split(' ')
  return { host, port: Number(port) }
}

test.each([
  [[], [], '203.0.113.1 80', true],
  [['10.0.0.0/8'], [], '10.1.1.1 80', true],
  [['10.0.0.0/8'], [], '203.0.113.1 80', false],
  [['10.0.0.0/8'], ['10.1.0.0/16'], '10.1.1.1 80', false],
  [[], ['*:25'], '203.0.113.1 25', false],
  [['db.example:5432'], [], '10.0.0.5 5432', true],
  [['db.example:5432'], [], '10.0.0.6 5432', false],
  [['no-such.example'], [], '10.0.0.6 5432', false],
])('allow %j, deny %j: %s is %s', async (allow, deny, address, allowed) => {
  const asked = narrowed(allow, deny).within([at(address)])
  if (allowed) expect(await asked).toEqual([at(address)])
  else
    await expect(asked).rejects.toMatchObject({
      code: 'not-allowed',
      message: expect.stringContaining('this installation'),
    })
})

test('of several addresses those stay that may be dialled', async () => {
  const all = ['10.0.0.5 80', '203.0.113.1 80'].map(at)
  expect(await narrowed([], ['203.0.113.0/24']).within(all)).toEqual([all[0]])
})

test('a name is looked up again when its addresses may have changed', async () => {
  const asked: string[] = []
  let now = 0
  const one = narrowed(['db.example'], [], () => now, asked)
  await one.within([at('10.0.0.5 1')])
  await one.within([at('10.0.0.5 1')])
  expect(asked).toHaveLength(1)
  now = 10_001
  await one.within([at('10.0.0.5 1')])
  expect(asked).toHaveLength(2)
})
