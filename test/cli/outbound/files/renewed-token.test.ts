import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RenewedToken } from '../../../../cli/outbound/files/renewed-token.ts'
import type { GrantedToken } from '../../../../cli/outbound/files/service-account-token.ts'
import { KubeError } from '../../../../src/kube/error.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => vi.useRealTimers())

interface Setup {
  readonly token: RenewedToken
  readonly told: string[]
  /** Seconds since the start at which one was asked for. */
  readonly asked: number[]
}

function setUp(answer: (count: number) => GrantedToken | Error): Setup {
  const told: string[] = []
  const asked: number[] = []
  const begun = Date.now()
  const request = async (): Promise<GrantedToken> => {
    asked.push(Math.round((Date.now() - begun) / 1_000))
    const given = answer(asked.length)
    if (given instanceof Error) throw given
    return given
  }
  const token = new RenewedToken(request, {
    onRenewed: () => told.push('renewed'),
    onFailing: (error, until) => told.push(`${error.message} ${Math.round((until.getTime() - begun) / 1_000)}`),
    onRecovered: () => told.push('recovered'),
  })
  return { token, told, asked }
}

const unreachable = new KubeError('api-unreachable', 'no answer')
const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1_000)

test('is renewed when four fifths of its life are over, by what was granted', async () => {
  const { token, asked, told } = setUp((count) => ({ token: `t${count}`, seconds: 600 }))
  await token.start()
  expect(token.token).toEqual({ found: 't1' })
  await seconds(479)
  expect(asked).toEqual([0])
  await seconds(2)
  expect(asked).toEqual([0, 480])
  expect(token.token).toEqual({ found: 't2' })
  await seconds(480)
  expect(asked).toEqual([0, 480, 960])
  expect(told).toEqual(['renewed', 'renewed'])
  token.stop()
  await seconds(10_000)
  expect(asked).toHaveLength(3)
})

test('once a day at the latest', async () => {
  const { token, asked } = setUp(() => ({ token: 't', seconds: 365 * 86_400 }))
  await token.start()
  await seconds(86_401)
  expect(asked).toEqual([0, 86_400])
  token.stop()
})

test('soon after a laptop wakes whose timers slept', async () => {
  const { token, asked } = setUp((count) => ({ token: `t${count}`, seconds: 3_600 }))
  await token.start()
  vi.setSystemTime(Date.now() + 8 * 3_600_000)
  await seconds(30)
  expect(asked).toHaveLength(2)
  token.stop()
})

test('a renewal that fails is tried again, less and less often, and told once', async () => {
  const { token, asked, told } = setUp((count) =>
    count === 1 || count > 6 ? { token: `t${count}`, seconds: 600 } : unreachable,
  )
  await token.start()
  await seconds(481)
  expect(token.token).toEqual({ found: 't1' })
  expect(told).toEqual(['no answer 600'])
  await seconds(90)
  expect(asked).toHaveLength(7)
  const pauses = asked.slice(2).map((at, index) => at - (asked[index + 1] ?? 0))
  expect(pauses.at(-1)).toBeGreaterThan(pauses[0] ?? 0)
  expect(told).toEqual(['no answer 600', 'renewed', 'recovered'])
  expect(token.token).toEqual({ found: 't7' })
  token.stop()
})

test('who has no right to it is told so, and is not asked again', async () => {
  const refusal = new KubeError('forbidden', 'You may not create serviceaccounts/token.', { fix: 'ask' })
  const { token, asked } = setUp(() => refusal)
  await token.start()
  expect(token.token).toEqual({ refused: 'You may not create serviceaccounts/token', fix: 'ask' })
  await seconds(10_000)
  expect(asked).toHaveLength(1)
})

test('an account that does not exist has none; a policy may be against it', async () => {
  const gone = setUp(() => new KubeError('not-found', 'no such account'))
  await gone.token.start()
  expect(gone.token.token).toEqual({ absent: true })
  const denied = setUp(() => new KubeError('denied', 'no tokens for laptops'))
  await denied.token.start()
  expect(denied.token.token).toMatchObject({ refused: 'no tokens for laptops' })
})

test('a cluster that does not answer is an error at the start', async () => {
  await expect(setUp(() => unreachable).token.start()).rejects.toBe(unreachable)
})
