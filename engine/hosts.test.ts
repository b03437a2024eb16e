import { expect, test } from 'vitest'
import { covers, hostnameOf, wider } from './hosts.ts'

test.for<[string, string, string]>([
  ['the port is left out', 'very.specific.com:1234', 'very.specific.com'],
  ['an empty port is left out', 'a.com:', 'a.com'],
  ['upper case becomes lower case', 'WWW.Example.COM', 'www.example.com'],
  ["the root's dot is left out", 'a.com.:80', 'a.com'],
  ['an IPv6 literal keeps its colons', '[2001:db8::1]', '[2001:db8::1]'],
  ['an IPv6 literal loses its port', '[2001:db8::1]:8080', '[2001:db8::1]'],
  ['only ASCII has a lower case: the Kelvin sign is no k', '\u212Aubernetes.io', '\u212Aubernetes.io'],
  ['what DNS could not name is nobody’s', `${'a.'.repeat(126)}aa`, ''],
  ['the longest name of DNS is a name', `${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
])('%s', ([, authority, hostname]) => {
  expect(hostnameOf(authority)).toBe(hostname)
})

test('a hostname is taken by itself, by its wildcards from the longest on, and by ""', () => {
  const taken = ['a.b.c']
  while (taken.at(-1) !== '') taken.push(wider(taken.at(-1) ?? ''))
  expect(taken).toEqual(['a.b.c', '*.b.c', '*.c', ''])
})

test.for<[string, string, string, boolean]>([
  ['a wildcard takes one label', '*.wildcard.io', 'foo.wildcard.io', true],
  ['a wildcard takes any number of labels', '*.wildcard.io', 'foo.bar.wildcard.io', true],
  ['a wildcard never takes the bare domain', '*.wildcard.io', 'wildcard.io', false],
  ['a wildcard takes whole labels', '*.wildcard.io', 'foowildcard.io', false],
  ['a name takes itself', 'a.com', 'a.com', true],
  ['a name takes no subdomain', 'a.com', 'b.a.com', false],
  ['"" takes all', '', 'a.com', true],
])('%s', ([, pattern, hostname, takes]) => {
  expect(covers(pattern, hostname)).toBe(takes)
})
