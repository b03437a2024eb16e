import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsedParts, plainParts, readFacts } from './facts.ts'

const facts = (url: string, host = new URL(url).host) =>
  readFacts(new Request(url, { headers: { host } }), url, undefined)

test('path and query are those that fetch() would send', () => {
  expect(facts('http://a.example/x/../y/%2e%2e/z?q=%20&r')).toMatchObject({
    scheme: 'http',
    path: '/z',
    query: 'q=%20&r',
  })
  expect(facts('https://a.example//a%2Fb;c')).toMatchObject({ scheme: 'https', path: '//a%2Fb;c', query: '' })
})

test('the authority is the Host as it was sent', () => {
  expect(facts('http://a.example/', 'A.Example:80')).toMatchObject({ authority: 'A.Example:80' })
  expect(facts('https://a.example/', 'a.example:443')).toMatchObject({ authority: 'a.example:443' })
})

test("a Host that is not the URL's is not routed", () => {
  expect(facts('http://a.example/', 'b.example')).toBeUndefined()
  expect(facts('http://a.example/', 'a.example:8080')).toBeUndefined()
})

test.each([
  'http://shop.example.com/cart/42?page=2',
  'https://a.b/',
  "http://a/~x/a.b/!$&'()*+,;=:@-_.?a=1&b=/?",
  'http://a.example//x?',
])('is read without parsing: %s', (url) => {
  expect(plainParts(url)).toEqual(parsedParts(url))
})

test('what is read without parsing is what the URL Standard makes of it', () => {
  const character = fc.constantFrom(...'aZ09.-_~%/\\?#&=\'"`{}|^<> :@[]+;!$()*,\t\u00e9\u212a')
  const label = fc.oneof(fc.constantFrom('a', 'A', '1', '0x1', '0x', 'xn--a', 'xn--', 'a-', '-', '', 'a_b', 'b2'))
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const rest = fc.array(fc.oneof(character, fc.constantFrom('.', '..', '/', '%2e', 'x'))).map((parts) => parts.join(''))
  const url = fc.tuple(fc.constantFrom('http', 'https'), host, fc.constantFrom('', ':80', ':8080'), rest)
  fc.assert(
    fc.property(url, ([scheme, name, port, path]) => {
      const text = `${scheme}://${name}${port}/${path}`
      const read = plainParts(text)
      if (read !== undefined) expect(read).toEqual(parsedParts(text))
    }),
    { numRuns: 20_000 },
  )
})
