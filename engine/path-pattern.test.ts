import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pathPattern } from './path-pattern.ts'
import { compileRegex } from './regex/regex.ts'

test.for<[string, string, string, string]>([
  ['a literal is split off', '/tenant-1/[a-z]+', '/tenant-1/', '[a-z]+'],
  ['an escaped character is a literal', '/v1\\.2/.*', '/v1.2/', '.*'],
  ['a repeated character is none', '/abc*', '/ab', 'c*'],
  ['nor is a repeated escaped one', '/ab\\.?x', '/ab', '\\.?x'],
  ['an anchor in front goes without saying', '^/a/(b|c)$', '/a/', '(b|c)$'],
  ['a pattern may be all literal', '/a/b', '/a/b', ''],
  ['a backslash before a repeated character is a literal', '/a\\\\b*', '/a\\', 'b*'],
])('%s', ([, pattern, literal, rest]) => {
  expect(pathPattern(pattern)).toEqual({ literal, skip: literal.length, rest })
})

test.for<[string, string, string]>([
  ['of alternatives only what they have in common is known', '/svc-1/a|/svc-1/b', '/svc-1/'],
  ['what looks back at the literal keeps it', '/a\\b.*', '/a'],
  ['letters of either case are no literal', '(?i)/a', '/'],
  ['a pattern that does not parse begins with nothing', '/(a|', ''],
])('%s', ([, pattern, literal]) => {
  expect(pathPattern(pattern)).toEqual({ literal, skip: 0, rest: pattern })
})

const part = fc.constantFrom(
  ...[
    'a',
    'b',
    '/',
    '\\.',
    '.',
    '^',
    '$',
    '|',
    '\\b',
    '\\B',
    '[ab]',
    '[^a]',
    '\\[',
    '\\^',
    '\\\\',
    '(',
    ')',
    '(?:',
    '?',
    '*',
    '+',
    '{2}',
    '\\Qa|b\\E',
    '\\d',
    'é',
  ],
)
const path = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '[', '^', '\\', 'é'), maxLength: 6 })

test('a pattern taken apart matches what the whole pattern matches', () => {
  let matched = 0
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 8 }),
      fc.array(path, { minLength: 20, maxLength: 20 }),
      (parts, paths) => {
        const whole = compileRegex(parts.join(''))
        const { literal, skip, rest } = pathPattern(parts.join(''))
        const apart = compileRegex(rest)
        // As the index uses it: a pattern that does not compile must not do so without its literal.
        expect(apart.ok).toBe(whole.ok)
        if (!whole.ok || !apart.ok) return
        for (const each of paths) {
          const expected = whole.regex.test(each)
          if (expected) matched++
          expect(each.startsWith(literal) && apart.regex.test(each.slice(skip)), `${parts.join('')} on ${each}`).toBe(
            expected,
          )
        }
      },
    ),
    { numRuns: 10_000 },
  )
  expect(matched).toBeGreaterThan(1000)
})
