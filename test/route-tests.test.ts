import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { landfall, type Output, run } from './serve-rig.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-route-tests-'))
})
afterAll(() => rm(directory, { recursive: true }))

const runTests = (args: readonly string[], stdin = ''): Promise<Output> => run(landfall, ['test', ...args], stdin)

async function written(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}

const examples = readdirSync('examples').filter((name) => existsSync(`examples/${name}/tests.yaml`))

test('two examples have tests', () => {
  expect(examples).toEqual(['canary', 'redirects-and-rewrites'])
})

test.for(examples)('the tests of the example %s pass, and reach all of it', async (name) => {
  const { code, stdout, stderr } = await runTests([
    '-f',
    `examples/${name}`,
    '-t',
    `examples/${name}`,
    '--min-coverage',
    '100',
  ])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^\d+ tests passed\nCoverage: .* \(100 %\)\n$/)
})

const quickstart = ['-f', 'examples/quickstart', '-t']

const cart = `defaults: {host: shop.localhost}
tests:
  - name: the cart goes to the cart
    request: /cart/42
    expect: cart
  - name: the root goes to the cart
    request: /
    expect:
      backend: cart
      status: 200
`

test('a failure says what was expected and found, where, and why', async () => {
  const file = await written('cart.yaml', cart)
  const { code, stdout } = await runTests([...quickstart, file])
  expect([code, stdout]).toEqual([
    1,
    `FAIL the root goes to the cart
  ${file}:9: expect.backend
    expected  cart
    got       shop/storefront:80
  ${file}:10: expect.status
    expected  200
    got       what shop/storefront:80 answers
  | GET http://shop.localhost/ at Gateway shop/web
  | listener http, port 8080, any hostname
  | HTTPRoute shop/storefront rule 2 "pages", by path: the prefix '/'
  |   backend shop/storefront:80, 100 % of the requests
  | not HTTPRoute shop/storefront rule 1 "old-address": path is '/', wants '/basket'
  | not HTTPRoute shop/storefront rule 0 "cart": path is '/', wants the prefix '/cart'

1 test passed, 1 failed
`,
  ])
})

test('coverage names what no test reaches, and can be asked for', async () => {
  const passing = cart.slice(0, cart.indexOf('  - name: the root'))
  const low = await runTests([...quickstart, '-', '--min-coverage', '80'], passing)
  expect([low.code, low.stderr]).toEqual([1, '37.5 % is less than 80 %\n'])
  expect(low.stdout).toBe(`1 test passed
Coverage: 1 of 3 rules, 1 of 3 matches, 1 of 2 filters (37.5 %)
  examples/quickstart/routes.yaml:27: HTTPRoute shop/storefront rule 1 "old-address"
  examples/quickstart/routes.yaml:39: HTTPRoute shop/storefront rule 2 "pages"
`)
  expect((await runTests([...quickstart, '-', '--min-coverage', '37.5'], passing)).code).toBe(0)
  expect((await runTests([...quickstart, '-'], passing)).stdout).toBe('1 test passed\n')
})

test('for machines there are JSON, TAP and JUnit', async () => {
  const json = await runTests([...quickstart, '-', '--coverage', '-o', 'json'], cart)
  expect([json.code, JSON.parse(json.stdout)]).toEqual([
    1,
    {
      passed: 1,
      failed: 1,
      tests: [
        expect.objectContaining({
          name: 'the cart goes to the cart',
          file: 'stdin',
          line: 3,
          passed: true,
          failures: [],
        }),
        expect.objectContaining({
          passed: false,
          failures: [
            { field: 'expect.backend', line: 9, expected: 'cart', got: 'shop/storefront:80' },
            { field: 'expect.status', line: 10, expected: '200', got: 'what shop/storefront:80 answers' },
          ],
        }),
      ],
      coverage: expect.objectContaining({ rules: { reached: 2, total: 3 } }),
    },
  ])
  const tap = await runTests([...quickstart, '-', '--coverage', '-o', 'tap'], cart)
  expect([tap.code, tap.stdout.split('\n').slice(0, 4)]).toEqual([
    1,
    ['TAP version 14', '1..2', 'ok 1 - the cart goes to the cart', 'not ok 2 - the root goes to the cart'],
  ])
  expect(tap.stderr).toMatch(/^Coverage: 2 of 3 rules/)
  const junit = await runTests([...quickstart, '-', '-o', 'junit'], cart)
  expect([junit.code, junit.stdout]).toEqual([
    1,
    expect.stringContaining('<testsuite name="stdin" tests="2" failures="1"'),
  ])
})

test.for<[string, string, string]>([
  [
    'a file with errors is not run',
    'tests:\n- name: t\n  request: http://a/\n  expect: {bakend: a}\n',
    'error stdin:4: tests[0].expect.bakend: ',
  ],
  ['a file without tests proves nothing', 'kind: Service\n', 'there are no tests in -'],
])('%s', async ([, text, message]) => {
  const { code, stdout, stderr } = await runTests([...quickstart, '-'], text)
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)])
})

test('manifests with errors are not tested', async () => {
  const broken = await written(
    'broken.yaml',
    'apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec: []\n',
  )
  const { code, stderr } = await runTests(['-f', broken, '-t', 'examples/canary'])
  expect([code, stderr]).toEqual([2, expect.stringMatching(/broken\.yaml:4: [\s\S]*no test was run/)])
})

test.for([
  [['-f', 'examples/canary']],
  [['-t', 'examples/canary']],
  [['-f', '-', '-t', '-']],
  [[...quickstart, 'none.yaml']],
  [[...quickstart, 'examples/canary', '-o', 'xml']],
  [[...quickstart, 'examples/canary', '--min-coverage', '101']],
])('landfall test %j is a usage error', async ([args]) => {
  const { code, stdout, stderr } = await runTests(args ?? [])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).not.toBe('')
})
