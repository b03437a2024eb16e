import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readTarget } from './target.ts'

test.for<[string, string, string, string]>([
  ['a plain path is itself', '/shop/cart', '/shop/cart', ''],
  ['the query begins at the first question mark', '/a?b=c?d', '/a', 'b=c?d'],
  ['an empty query is none', '/a?', '/a', ''],
  ['slashes in a row stay', '//a///b//', '//a///b//', ''],
  ['an escaped slash stays escaped', '/a%2Fb%2f', '/a%2Fb%2f', ''],
  ['dot segments go', '/a/./b/../c', '/a/c', ''],
  ['dot segments go at the end', '/a/b/..', '/a/', ''],
  ['dot segments do not climb above the root', '/../../a', '/a', ''],
  ['escaped dot segments go', '/a/%2e%2E/b/%2e/c', '/b/c', ''],
  ['half escaped dot segments go', '/a/.%2e/b/%2e./c', '/c', ''],
  ['three dots are a name', '/.../a', '/.../a', ''],
  ['a leading dot is part of a name', '/.well-known/x', '/.well-known/x', ''],
  ['a backslash is a slash', '/a\\..\\b', '/b', ''],
  ['a backslash in the query stays', '/a?b\\c', '/a', 'b\\c'],
  ['dots in the query stay', '/a?b=/../c', '/a', 'b=/../c'],
  ['an escaped backslash stays', '/a%5c..%5cb', '/a%5c..%5cb', ''],
  ['parameters of segments stay', '/a;b=c/..;/d', '/a;b=c/..;/d', ''],
  ['what is no escape stays', '/100%/%zz', '/100%/%zz', ''],
  ['bytes of UTF-8 are escaped', '/caf\xc3\xa9?\xc3\xa9', '/caf%C3%A9', '%C3%A9'],
  ['a quote is escaped', '/"?"\'', '/%22', '%22%27'],
])('%s: %s', ([, target, path, query]) => {
  expect(readTarget(target)).toEqual({ path, query, text: query === '' ? path : `${path}?${query}` })
})

test.for<[string, string]>([
  ['nothing', ''],
  ['no slash in front', 'a'],
  ['an asterisk', '*'],
  ['an absolute target', 'http://a/'],
  ['a fragment', '/a#b'],
  ['a space', '/a b'],
  ['a tab', '/a\tb'],
  ['a line feed', '/a\nb'],
  ['a NUL', '/a\0'],
  ['a DEL', '/a\x7f'],
  ['bytes that are no UTF-8', '/\xe9'],
  ['half a character of UTF-8', '/\xc3'],
  ['a surrogate in UTF-8', '/\xed\xa0\x80'],
])('%s is no target', ([, target]) => {
  expect(readTarget(target)).toBeUndefined()
})

test('a target is what the URL Standard makes of it, which leaves it so', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '.',
      '..',
      '/',
      '//',
      '%2e',
      '%2E',
      '\\',
      '%2F',
      '?',
      "'",
      '%',
      'x',
      'yz',
      ';',
      '...',
      '|',
      '^',
      '{',
      '"',
    ),
    fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  )
  const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)
  fc.assert(
    fc.property(target, (text) => {
      const read = readTarget(text)
      if (text.includes('#')) expect(read).toBeUndefined()
      else {
        const { pathname, search } = new URL(`http://a.example${text}`)
        expect(read).toEqual({ path: pathname, query: search.slice(1), text: pathname + search })
        expect(readTarget(pathname + search)).toEqual(read)
      }
    }),
    { numRuns: 20_000 },
  )
})

test('a long target takes no longer than its length', () => {
  const long = `/${'a/'.repeat(30_000)}`
  expect(readTarget(long)).toMatchObject({ path: long, query: '' })
  expect(readTarget(`${long}\\`)?.path).toBe(`${long}/`)
})
