import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HeaderModifier } from '../proto/gen/route_table.ts'
import { modifier } from '../test/engine-tables.ts'
import { type HeaderEdit, noEdit } from './decision.ts'
import { headerEdit } from './headers.ts'

const header = (name: string, value: string) => ({ name, value })

test.for<[string, Partial<HeaderModifier>[], Partial<HeaderEdit>]>([
  ['nothing to do is no edit', [{}, {}], noEdit],
  [
    'one modifier is itself',
    [{ remove: ['X-Gone'], set: [header('X-Set', '1')], add: [header('X-Add', '2')] }],
    { remove: ['X-Gone'], set: [['X-Set', '1']], add: [['X-Add', '2']] },
  ],
  [
    'of equivalent names in a list the first counts',
    [{ set: [header('x-a', '1'), header('X-A', '2')], add: [header('x-b', '3'), header('X-B', '4')] }],
    { set: [['x-a', '1']], add: [['x-b', '3']] },
  ],
  [
    'what is set and then removed is removed',
    [{ set: [header('X-A', '1')] }, { remove: ['x-a'] }],
    { remove: ['x-a'] },
  ],
  [
    'what is removed and then set is set',
    [{ remove: ['X-A'] }, { set: [header('x-a', '1')] }],
    { set: [['x-a', '1']] },
  ],
  [
    'what is removed and then added replaces what came',
    [{ remove: ['X-A'] }, { add: [header('x-a', '1')] }],
    { set: [['x-a', '1']] },
  ],
  [
    'what is set twice is set to the last',
    [{ set: [header('X-A', '1')] }, { set: [header('X-A', '2')] }],
    { set: [['X-A', '2']] },
  ],
  [
    'what is added twice is added twice, each as a line of its own',
    [{ add: [header('X-A', '1')] }, { add: [header('X-A', '2')] }],
    {
      add: [
        ['X-A', '1'],
        ['X-A', '2'],
      ],
    },
  ],
])('%s', ([, modifiers, edit]) => {
  expect(headerEdit(modifiers.map(modifier))).toEqual({ ...noEdit, ...edit })
})

const name = fc.constantFrom('a', 'A', 'b')
const headers = fc.uniqueArray(fc.record({ name, value: fc.constantFrom('1', '2', '') }), {
  maxLength: 3,
  selector: (each) => each.name.toLowerCase(),
})
const anyModifier = fc.record({ remove: fc.uniqueArray(name, { maxLength: 2 }), set: headers, add: headers })

test('one edit does what all modifiers do one after the other', () => {
  fc.assert(
    fc.property(fc.array(anyModifier, { maxLength: 4 }), headers, (modifiers, received) => {
      const lines = received.map(({ name, value }): [string, string] => [name.toLowerCase(), value])
      const inTurn = modifiers.reduce((each, { remove, set, add }) => edited(each, pairs(remove, set, add)), lines)
      expect(edited(lines, headerEdit(modifiers)).sort()).toEqual(inTurn.sort())
    }),
  )
})

type Lines = [name: string, value: string][]

const pairs = (remove: string[], set: ReturnType<typeof header>[], add: ReturnType<typeof header>[]): HeaderEdit => ({
  remove,
  set: set.map(({ name, value }) => [name, value] as const),
  add: add.map(({ name, value }) => [name, value] as const),
})

/** As the data planes do it. Lines have lower-case names. */
function edited(lines: Lines, { remove, set, add }: HeaderEdit): Lines {
  const gone = new Set([...remove, ...set.map(([name]) => name)].map((name) => name.toLowerCase()))
  const kept = lines.filter(([name]) => !gone.has(name))
  const lower = ([name, value]: readonly [string, string]): [string, string] => [name.toLowerCase(), value]
  return [...kept, ...set.map(lower), ...add.map(lower)]
}
