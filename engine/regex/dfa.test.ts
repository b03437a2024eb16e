import { expect, test } from 'vitest'
import { LazyDfa } from './dfa.ts'
import { parse } from './parser.ts'
import { construct } from './program.ts'

const automaton = (pattern: string): LazyDfa => new LazyDfa(construct(parse(pattern)))

/** Letters a and b, the same in every run. */
function noise(length: number): string {
  let state = 1
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state >>> 31 ? 'a' : 'b'
  }).join('')
}

const alternatives = Array.from({ length: 500 }, (_, i) => 'a'.repeat(i % 7) + i).join('|')

test.for<[pattern: string, value: (length: number) => string]>([
  ['(a*)*b', (length) => 'a'.repeat(length)],
  ['(a|a)*c', (length) => 'a'.repeat(length)],
  ['(.*)*x', (length) => 'y'.repeat(length)],
  ['(x+x+)+y', (length) => 'x'.repeat(length)],
  ['(.*,){11}P', (length) => '1,'.repeat(length / 2)],
  ['(a?){30}a{30}b*', (length) => 'a'.repeat(30) + 'b'.repeat(length - 30)],
  ['(?:a{0,500}a{500}|b)*', (length) => 'a'.repeat(length)],
  ['[ab]*a[ab]{12}', noise],
  ['[ab]*a[ab]{500}', noise],
  ['(?:[ab]*a[ab]{9}\\b[ab]?)*', noise],
  [`(?:${alternatives}|a|b)*`, noise],
])('twice the value costs at most twice the work for %s', ([pattern, value]) => {
  const work = (length: number): number => {
    const dfa = automaton(pattern)
    dfa.test(value(length))
    return dfa.visits
  }
  expect(work(65_536)).toBeLessThanOrEqual(2.1 * work(32_768))
  const states = construct(parse(pattern)).states.length
  expect(work(65_536)).toBeLessThanOrEqual(2 * states * 65_536)
})

test('a value that is met again costs no more visits to states', () => {
  const dfa = automaton('/api/v[0-9]+/users/.*')
  expect(dfa.test('/api/v12/users/9')).toBe(true)
  const { visits } = dfa
  expect(dfa.test('/api/v12/users/9')).toBe(true)
  expect(dfa.visits).toBe(visits)
})

test('a cache that overflows answers as one that does not', () => {
  const overflowing = automaton('[ab]*a[ab]{14}')
  for (let i = 0; i < 20; i++) {
    const value = noise(3000 + i)
    expect(overflowing.test(value)).toBe(value[value.length - 15] === 'a')
  }
})

test('values after one that overflowed the cache are served from it again', () => {
  const dfa = automaton('[ab]*a[ab]{14}|/users/[0-9]+')
  dfa.test(noise(65_536))
  for (let i = 0; i < 20_000; i++) dfa.test('/users/12')
  const { visits } = dfa
  expect(dfa.test('/users/12')).toBe(true)
  expect(dfa.visits).toBe(visits)
})
