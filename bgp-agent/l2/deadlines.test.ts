import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deadlines } from './deadlines.ts'

test('what is due comes soonest first, as it was set last', () => {
  const deadlines = new Deadlines()
  deadlines.set('a', 5)
  deadlines.set('b', 3)
  deadlines.set('c', 4)
  deadlines.set('a', 1)
  deadlines.delete('c')
  expect(deadlines.next).toBe(1)
  expect([deadlines.take(2), deadlines.take(2), deadlines.take(3), deadlines.take(9)]).toEqual([
    'a',
    undefined,
    'b',
    undefined,
  ])
  expect(deadlines.next).toBe(Number.POSITIVE_INFINITY)
})

type Change = { readonly key: string; readonly at: number | undefined }

test('it holds what a plain list would, however often times are put off', () => {
  const changes = fc.array(
    fc.record<Change>({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      at: fc.option(fc.nat(1000), { nil: undefined, freq: 5 }),
    }),
    { maxLength: 400, size: 'max' },
  )
  fc.assert(
    fc.property(changes, (all) => {
      const deadlines = new Deadlines()
      const plain = new Map<string, number>()
      for (const { key, at } of all) {
        if (at === undefined) {
          deadlines.delete(key)
          plain.delete(key)
        } else {
          deadlines.set(key, at)
          plain.set(key, at)
        }
        expect(deadlines.next).toBe(Math.min(...plain.values()))
      }
      const times: number[] = []
      for (let key = deadlines.take(1000); key !== undefined; key = deadlines.take(1000))
        times.push(plain.get(key) ?? Number.NaN)
      expect(times).toEqual([...plain.values()].sort((a, b) => a - b))
    }),
  )
})
