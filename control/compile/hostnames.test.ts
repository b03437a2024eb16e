import { expect, test } from 'vitest'
import { containing, intersection, served } from './hostnames.ts'

test.for<[string, string, string, string | undefined]>([
  ['the same name is common', 'a.example.com', 'a.example.com', 'a.example.com'],
  ['different names have nothing in common', 'a.example.com', 'b.example.com', undefined],
  ['a listener without a hostname takes the name of the route', '', 'a.example.com', 'a.example.com'],
  ['a route without a hostname takes that of the listener', '*.example.com', '', '*.example.com'],
  ['without any hostname every host is common', '', '', ''],
  ['test.example.com fits *.example.com', '*.example.com', 'test.example.com', 'test.example.com'],
  ['foo.test.example.com fits *.example.com', '*.example.com', 'foo.test.example.com', 'foo.test.example.com'],
  ['example.com does not fit *.example.com', '*.example.com', 'example.com', undefined],
  ['test.example.net does not fit *.example.com', '*.example.com', 'test.example.net', undefined],
  ['badexample.com does not fit *.example.com', '*.example.com', 'badexample.com', undefined],
  [
    'a listener with an exact name serves that name of a wildcard route',
    'test.example.com',
    '*.example.com',
    'test.example.com',
  ],
  ['of two nested wildcards the narrower is common', '*.example.com', '*.test.example.com', '*.test.example.com'],
  [
    'of two nested wildcards the narrower is common, either way',
    '*.test.example.com',
    '*.example.com',
    '*.test.example.com',
  ],
  ['wildcards side by side have nothing in common', '*.a.example.com', '*.b.example.com', undefined],
  ['*.com and very.specific.com have very.specific.com in common', 'very.specific.com', '*.com', 'very.specific.com'],
])('%s', ([, listener, route, common]) => {
  expect(intersection(listener, route)).toBe(common)
})

test('a route without hostnames is served on the hostname of the listener', () => {
  expect(served('*.example.com', undefined)).toEqual(['*.example.com'])
  expect(served('', [])).toEqual([''])
})

test('hostnames of the route that do not match that of the listener are ignored', () => {
  expect(served('*.example.com', ['test.example.com', 'test.example.net'])).toEqual(['test.example.com'])
  expect(served('*.example.com', ['example.net'])).toEqual([])
})

test('hostnames of the route that come to the same name count once', () => {
  expect(served('very.specific.com', ['*.com', 'very.specific.com', '*.specific.com'])).toEqual(['very.specific.com'])
})

test('a hostname that the route has twice counts once', () => {
  expect(served('', ['a.example.com', 'a.example.com'])).toEqual(['a.example.com'])
})

test('hostnames that are all served are not copied', () => {
  const route = ['a.example.com', 'b.example.com']
  expect(served('', route)).toBe(route)
  expect(served('*.example.com', route)).toBe(route)
})

test('a name is contained in the wildcards above it, the narrowest first', () => {
  expect([...containing('a.b.example.com')]).toEqual(['*.b.example.com', '*.example.com', '*.com', ''])
  expect([...containing('*.example.com')]).toEqual(['*.com', ''])
  expect([...containing('')]).toEqual([])
})
