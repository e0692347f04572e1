import { encodeQuery, Rcode, readAnswer } from '../../../src/dns/message.ts'
import { InterceptError } from '../../../src/errors.ts'
import type { LaptopDns } from './laptop-dns.ts'

const waitMs = 5_000
const everything = [{ namespace: '', anywhere: true }]

/** The addresses of a whole name, of both families; none where it does not exist. @throws InterceptError 'name-server-failed' */
export async function addressesOf(dns: Pick<LaptopDns, 'answer'>, name: string): Promise<string[]> {
  const signal = AbortSignal.timeout(waitMs)
  const found = await Promise.all(
    (['A', 'AAAA'] as const).map(async (type) => {
      const message = await dns.answer(encodeQuery({ id: 1, name, type }), everything, signal)
      const answer = message && readAnswer(message)
      if (answer && (answer.rcode === Rcode.NoError || answer.rcode === Rcode.NameError)) {
        return answer.records.flatMap((record) => (record.type === type ? [String(record.data)] : []))
      }
      throw new InterceptError('name-server-failed', `the cluster's name server gave no answer for ${name}`)
    }),
  )
  return found.flat()
}
