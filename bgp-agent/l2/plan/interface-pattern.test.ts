import fc from 'fast-check'
import { expect, test } from 'vitest'
import { interfacePattern } from './interface-pattern.ts'

function finds(pattern: string, name: string): boolean {
  const found = interfacePattern(pattern)
  if (typeof found === 'string') throw new Error(`${pattern}: ${found}`)
  return found.test(name)
}

test.for<[string, string, readonly string[], readonly string[]]>([
  ['is found anywhere in the name', 'eth', ['eth0', 'veth1'], ['ens1']],
  ['can be bound to both ends', '^eth[0-9]+$', ['eth0', 'eth12'], ['eth', 'eth0.100', 'veth0']],
  ['has the ends of Go, too', '\\Aeth\\d+\\z', ['eth0'], ['eth0.100']],
  ['has alternatives', '^(eth|ens)[0-9]+', ['eth0', 'ens3'], ['enp3s0']],
  ['names groups as Go does', '^(?P<kind>bond|eth)\\d$', ['bond0'], ['bond']],
  ['begins with flags', '(?i)^ETH0$', ['eth0', 'ETH0'], ['eth1']],
  ['has flags of a group', '^(?i:eth)A$', ['ETHA', 'ethA'], ['etha']],
  ['loses flags about lines and greed', '(?smU)^eth.*0$', ['eth0', 'eth10'], ['eth1']],
  ['has classes by name', '^[[:alpha:]]+[[:digit:]_]$', ['eth0', 'eth_'], ['eth00']],
  ['has classes by name turned round', '^[[:^digit:]]+$', ['lan'], ['eth0']],
  ['takes a bracket that is first for itself', '^[]a]$', [']', 'a'], ['b']],
  ['takes a hyphen at the end for itself', '^[a-]$', ['a', '-'], ['b']],
  ['takes braces that count nothing for themselves', '^a{x}$', ['a{x}'], ['a']],
  ['counts', '^eth[0-9]{2,3}$', ['eth10', 'eth100'], ['eth1', 'eth1000']],
  ['quotes', '^\\Qeth0.1\\E$', ['eth0.1'], ['eth0x1']],
  ['writes characters by number', '^\\x65th\\x{30}$', ['eth0'], ['eth1']],
  ['escapes signs', '^eth0\\.100$', ['eth0.100'], ['eth00100']],
  ['takes little', '^eth0??', ['eth', 'eth0'], ['lan']],
  ['is empty', '', ['eth0'], []],
])('a pattern that %s means what it does in RE2', ([, pattern, those, others]) => {
  expect(those.filter((name) => !finds(pattern, name))).toEqual([])
  expect(others.filter((name) => finds(pattern, name))).toEqual([])
})

test.for<[string, string]>([
  ['looks ahead', 'eth(?=0)'],
  ['looks behind', '(?<=e)th'],
  ['is atomic', '(?>eth)'],
  ['refers back', '(e)\\1'],
  ['has a class of Unicode', '\\pL+'],
  ['has an end that Go does not know', 'eth\\Z'],
  ['sets flags in the middle', 'e(?i)th'],
  ['repeats what repeats', '(a*)*b'],
  ['repeats alternatives', '(a|a)+b'],
  ['repeats nothing', '*eth'],
  ['repeats twice', 'a**'],
  ['repeats too many parts', 'a*a*a*a*a*a*a*a*a*b'],
  ['counts too far', 'a{1001}'],
  ['opens a group', 'eth('],
  ['closes a group', 'eth)'],
  ['opens a class', '[a'],
  ['turns a range round', '[z-a]'],
  ['ends with a backslash', 'eth\\'],
  ['has an unknown class', '[[:letter:]]'],
])('a pattern that %s is refused', ([, pattern]) => {
  expect(interfacePattern(pattern)).toBeTypeOf('string')
})

test('whatever is written for a pattern gives an answer, and a name is soon looked through', () => {
  const signs = fc.string({ unit: fc.constantFrom(...'ab0()[]{}*+?|^$.\\-:,=<P!idQEx1'), maxLength: 40 })
  fc.assert(
    fc.property(signs, (pattern) => {
      const found = interfacePattern(pattern)
      if (typeof found !== 'string') found.test('aaaaaaaaaaaaaaa')
    }),
    { numRuns: 3000 },
  )
})
