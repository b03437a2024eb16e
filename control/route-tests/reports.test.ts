import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { junit } from './junit.ts'
import type { TestResult } from './run.ts'
import { tap } from './tap.ts'
import { readTests } from './test-reader.ts'

// `GOLDEN=write npx vitest run --project node control/route-tests/reports.test.ts` writes the goldens anew.

const named = (name: string, file: string): TestResult['test'] => {
  const [read] = readTests(file, `tests:\n  - ${JSON.stringify({ name, request: 'http://a/', expect: 404 })}\n`).tests
  if (read === undefined) throw new Error('no test')
  return read
}

const results: readonly TestResult[] = [
  { test: named('the cart goes to the cart', 'tests/shop.yaml'), failures: [], explanation: [], duration: 2 },
  {
    test: named('# 1: <b> & "c" \\ d\u0007', 'tests/shop.yaml'),
    failures: [
      { field: 'expect.backend', line: 4, expected: 'cart', got: 'shop/web:80 in 103 of 1000 draws' },
      { field: 'expect.requestHeaders.set.x-a', line: 9, expected: 'set to "<a>"', got: 'not changed' },
    ],
    explanation: [
      'GET http://shop.example.com/?a=b&c at Gateway shop/web',
      '  backend shop/web:80, 100 % of the requests',
    ],
    duration: 1234,
  },
  {
    test: named('a connection', 'tests/streams.yaml'),
    failures: [{ field: 'gateway', line: 2, expected: 'wbe', got: 'no such Gateway; there are shop/web' }],
    explanation: [],
    duration: 0,
  },
]

test.for([
  ['junit.xml', junit],
  ['tap.txt', tap],
] as const)('%s is as it was', ([name, report]) => {
  const file = new URL(`golden/${name}`, import.meta.url)
  const text = report(results)
  if (process.env.GOLDEN === 'write') writeFileSync(file, text)
  expect(text).toBe(readFileSync(file, 'utf8'))
})

test('what stands under a point of TAP is YAML', () => {
  const [, block = ''] = /^ {2}---\n([\s\S]*?)^ {2}\.\.\.$/m.exec(tap(results)) ?? []
  expect(parse(block)).toEqual({
    at: 'tests/shop.yaml:2',
    failures: results[1]?.failures,
    explain: results[1]?.explanation,
  })
})
