import { expect, test } from 'vitest'
import { PathMatch_Kind, type Rule } from '../../proto/gen/route_table.ts'
import type { Condition } from './matches.ts'
import { byPrecedence, numbered, type RankedMatch } from './precedence.ts'

const rule = (index: number): Rule => ({
  route: 'HTTPRoute default/a',
  index,
  name: '',
  filters: [],
  backends: [],
  timeouts: undefined,
  retry: undefined,
  session: undefined,
  invalid: '',
})

const prefix = (value: string) => ({ path: { kind: PathMatch_Kind.PREFIX, value } })
const exact = (value: string) => ({ path: { kind: PathMatch_Kind.EXACT, value } })
const regex = (value: string) => ({ path: { kind: PathMatch_Kind.REGEX, value } })
const values = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `n${i}`, value: 'v', regex: false }))

interface Changes extends Partial<Condition> {
  readonly createdAt?: number
  readonly name?: string
  readonly rule?: number
  readonly index?: number
}

const ranked = ({ createdAt = 0, name = 'a/a', rule: place = 0, index = 0, ...condition }: Changes): RankedMatch => ({
  route: { createdAt, name },
  rule: rule(place),
  index,
  condition: { ...prefix('/'), method: '', headers: [], query: [], ...condition },
  call: undefined,
})

test.for<[string, Changes, Changes]>([
  ['an exact path beats a longer prefix', exact('/a'), prefix('/a/b/c')],
  ['an exact path beats a longer regular expression', exact('/a'), regex('/a/b/c.*')],
  ['a regular expression beats a longer prefix', regex('/.'), prefix('/a/b/c')],
  ['of regular expressions the longest pattern wins', regex('/a.*b'), regex('/a.*')],
  ['the longest prefix wins, whatever the method', prefix('/a/b'), { ...prefix('/a'), method: 'GET' }],
  ['a method match beats more headers', { method: 'GET' }, { headers: values(3) }],
  ['more headers win', { headers: values(2) }, { headers: values(1), query: values(3) }],
  ['then more query parameters', { query: values(2) }, { query: values(1) }],
  ['the oldest route wins a tie', { createdAt: 1, name: 'z/z' }, { createdAt: 2 }],
  ['a route that has not been created is the youngest', { createdAt: 1, name: 'z/z' }, { createdAt: Infinity }],
  ['then the first in alphabetical order', { name: 'a/B' }, { name: 'a/a' }],
  ['also of routes that have not been created', { createdAt: Infinity }, { createdAt: Infinity, name: 'a/b' }],
  ['within one route, the first rule in the list wins', { rule: 1 }, { rule: 2 }],
  ['within one rule, the first match in the list wins', { index: 1 }, { index: 2 }],
])('%s', ([, first, second]) => {
  const [a, b] = [ranked(first), ranked(second)]
  expect([b, a].sort(byPrecedence)).toEqual([a, b])
  expect([a, b].sort(byPrecedence)).toEqual([a, b])
})

test('matches of one rule share its place in the table', () => {
  const [one, two] = [ranked({}), ranked({})]
  const again = { ...one, index: 1 }
  const { matches, rules } = numbered([two, one, again])
  expect(matches.map(({ rule }) => rule)).toEqual([0, 1, 1])
  expect(rules).toEqual([two.rule, one.rule])
})
