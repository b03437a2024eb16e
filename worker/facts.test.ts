import { expect, test } from 'vitest'
import { readFacts } from './facts.ts'

const facts = (url: string, host = new URL(url).host) => readFacts(new Request(url, { headers: { host } }), undefined)

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
