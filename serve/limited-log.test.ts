import { expect, test } from 'vitest'
import { limitedLog } from './limited-log.ts'

test('an event is logged ten times a minute, and then how often it was not', () => {
  let now = 0
  const lines: string[] = []
  const log = limitedLog(
    { warn: (fields: object, event: string) => lines.push(`${event} ${JSON.stringify(fields)}`) },
    () => now,
  )
  for (let n = 0; n < 15; n++) log('flood', { n })
  log('other', {})
  expect(lines.length).toBe(11)
  now = 60_000
  log('flood', { n: 15 })
  log('flood', { n: 16 })
  expect(lines.slice(11)).toEqual(['flood {"n":15,"omitted":5}', 'flood {"n":16}'])
})
