import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { forPeople } from './log.ts'

test('a line for people has the time of day, the level, what has happened and what with', () => {
  const line = forPeople(
    '{"level":"warn","time":"2026-11-23T10:14:39.123Z","port":8080,"why":"busy","msg":"cannot listen"}\n',
  )
  expect(stripVTControlCharacters(line)).toMatch(/^\d\d:14:39 warn {2}cannot listen {2}port=8080 why=busy\n$/)
})
