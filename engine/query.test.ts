import { expect, test } from 'vitest'
import { queryValues } from './query.ts'

test.for<[string, string, Record<string, string>]>([
  ['the first value of a repeated parameter counts', 'a=1&a=2', { a: '1' }],
  ['names and values are percent-decoded', '%61=%E2%82%AC', { a: '€' }],
  ['a plus is a space', 'a+b=c+d', { 'a b': 'c d' }],
  ['an encoded plus is a plus', 'a=1%2B1', { a: '1+1' }],
  ['a parameter without a value is empty', 'a&b=', { a: '', b: '' }],
  ['only the first equals sign separates', 'a=b=c', { a: 'b=c' }],
  ['nothing between two ampersands is no parameter', '&&a=1&', { a: '1' }],
  ['names are case-sensitive', 'animal=whale&ANIMAL=Whale', { animal: 'whale', ANIMAL: 'Whale' }],
  ['octets that are not UTF-8 stay encoded', 'a=%ff%41', { a: '%ff%41' }],
  ['a lone percent sign stays', 'a=50%&b=%zz', { a: '50%', b: '%zz' }],
  ['an empty query has no parameters', '', {}],
])('%s', ([, query, values]) => {
  expect(Object.fromEntries(queryValues(query))).toEqual(values)
})

test('a query of many parameters is read up to a bound', () => {
  const values = queryValues(Array.from({ length: 100_000 }, (_, i) => `p${i}=1`).join('&'))
  expect(values.size).toBe(1000)
  expect(values.has('p0')).toBe(true)
})
