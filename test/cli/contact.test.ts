import { expect, test } from 'vitest'
import { Contact } from '../../cli/agent/contact.ts'

test('the loss of the last tunnel is told once, and the first one that is back', () => {
  let now = 0
  const told: string[] = []
  const contact = new Contact(
    {
      warn: (code, message) => void told.push(`${code}: ${message}`),
      event: (event, text) => void told.push(`${event.event}: ${text}`),
    },
    () => now,
  )
  contact.changed(2, undefined)
  contact.changed(1, 'silent')
  expect(told).toEqual([])
  contact.changed(0, 'silent')
  contact.changed(0, 'again')
  now = 3_000
  contact.changed(1, undefined)
  contact.changed(2, undefined)
  expect(told).toEqual([
    'tunnel-lost: lost the cluster (silent); connections wait until it is back',
    'tunnel-back: ✔ back in the cluster after 3.0 s',
  ])
})
