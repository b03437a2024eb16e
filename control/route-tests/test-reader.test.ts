import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatProblem } from '../../kube/problem.ts'
import type { RequestSubject } from './subject.ts'
import { type RouteTest, readTests } from './test-reader.ts'

const problems = (text: string): string[] => readTests('t.yaml', text).problems.map(formatProblem)

function only(text: string): RouteTest {
  const { tests, problems } = readTests('t.yaml', text)
  expect(problems).toEqual([])
  const [first] = tests
  if (first === undefined) throw new Error('no test')
  return first
}

function requestOf(fields: string, defaults = ''): RequestSubject['facts'] {
  const { subject } = only(
    `${defaults}\ntests:\n  - name: t\n    expect: 404\n    ${fields.replaceAll('\n', '\n    ')}\n`,
  )
  if (subject.type !== 'request') throw new Error(`a test of ${subject.type}`)
  return subject.facts
}

const wanted = (fields: string): string => `tests:
  - name: t
    request: http://a.example.com/
    expect: ${fields}
`

test.for<[string, string, string]>([
  [
    'an unknown field is an error, or a test would prove less than it says',
    wanted('{bakend: cart}'),
    't.yaml:4: tests[0].expect.bakend: unknown field; did you mean backend?',
  ],
  [
    'so is one of a test',
    'tests:\n- name: t\n  tcp: 80\n  expect: db\n  expects: 404\n',
    't.yaml:5: tests[0].expects: unknown field; did you mean expect?',
  ],
  ['nothing expected proves nothing', wanted('{}'), 't.yaml:4: tests[0].expect: is empty; write what is expected'],
  ['so does an empty field', wanted(''), 't.yaml:4: tests[0].expect: is empty; write what is expected'],
  ['no header to set is nothing', wanted('{requestHeaders: {set: {}}}'), 'requestHeaders.set: is empty; write name'],
  ['a status is a number', wanted('{status: "404"}'), 't.yaml:4: tests[0].expect.status: "404" is text'],
  ['shares are of all requests', wanted('{distribution: {a: 50, b: 20}}'), 'expect.distribution: adds up to 70'],
  ['a share is no share of more than all', wanted('{mirrors: {a: 101}}'), 'expect.mirrors.a: 101 is no percentage'],
  ['a backend is a Service', wanted('{backend: A B}'), 'tests[0].expect.backend: "A B" does not fit'],
  ['a reason is one that a table can give', wanted('{reason: no-rout}'), 'did you mean no-route?'],
  ['a header has texts', wanted('{requestHeaders: {set: {x-a: 1}}}'), 'set.x-a: is no text or list of texts'],
  ['a test has a name', 'tests:\n- request: http://a/\n  expect: 404\n', 't.yaml:2: tests[0].name: is missing'],
  ['a test asks for something', 'tests:\n- name: t\n  expect: 404\n', 't.yaml:2: tests[0]: asks for nothing'],
  [
    'a test asks for one thing',
    'tests:\n- name: t\n  tcp: 80\n  udp: 80\n  expect: db\n',
    't.yaml:4: tests[0].udp: stands beside tcp',
  ],
  [
    'a connection has no status',
    'tests:\n- name: t\n  tcp: 80\n  expect: 404\n',
    't.yaml:4: tests[0].expect.status: is of requests',
  ],
  [
    'a connection has no headers',
    'tests:\n- name: t\n  tcp: 80\n  headers: {a: b}\n  expect: db\n',
    't.yaml:4: tests[0].headers: is of requests',
  ],
  [
    'Host is no header like others',
    'tests:\n- name: t\n  request: http://a/\n  headers: {Host: b}\n  expect: db\n',
    't.yaml:4: tests[0].headers.Host: has a field of its own',
  ],
  [
    'a path needs a host',
    'tests:\n- name: t\n  request: /\n  expect: 404\n',
    't.yaml:3: tests[0].request: names no host',
  ],
  [
    'a URL is of HTTP',
    'tests:\n- name: t\n  request: ftp://a/\n  expect: 404\n',
    't.yaml:3: tests[0].request: "ftp://a/"',
  ],
  [
    'a call names its method',
    'tests:\n- name: t\n  grpc: Cart\n  host: a\n  expect: 404\n',
    'tests[0].grpc: is no call',
  ],
  [
    'a server name is no URL',
    'tests:\n- name: t\n  tls: https://a/\n  expect: db\n',
    'tests[0].tls: is no server name',
  ],
  [
    'lines count in the file, not in its document',
    `${wanted('404')}---\n${wanted('{}')}`,
    't.yaml:9: tests[0].expect: is empty',
  ],
  ['text that is no YAML is told by its line', 'tests:\n  - a: [\n', 't.yaml:'],
])('%s', ([, text, problem]) => {
  expect(problems(text)).toEqual([expect.stringContaining(problem)])
})

test('a file tells all that is wrong with it, by line', () => {
  const text = 'tests:\n- name: t\n  request: /\n  expect: {}\n- request: http://a/\n  expect: []\n'
  expect(problems(text).map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
    't.yaml:4 tests[0].expect',
    't.yaml:5 tests[1].name',
    't.yaml:6 tests[1].expect',
  ])
})

test('documents of other kinds are left alone', () => {
  const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n'
  expect(readTests('t.yaml', `${service}---\n{"kind": "List", "items": []}\n---\n${wanted('404')}`)).toMatchObject({
    tests: [{ name: 't', line: 9 }],
    problems: [],
  })
})

test('a number is a status, and a text a backend', () => {
  expect(only(wanted('404')).expect).toEqual({ status: 404 })
  expect(only(wanted('shop/cart')).expect).toEqual({ backend: 'shop/cart' })
})

test('a request line has a method, a URL, or both', () => {
  expect(requestOf('request: http://a.example.com:8080/x?y=z')).toMatchObject({
    scheme: 'http',
    authority: 'a.example.com:8080',
    port: 8080,
    method: 'GET',
    path: '/x',
    query: 'y=z',
  })
  expect(requestOf('request: DELETE https://a.example.com/x')).toMatchObject({
    scheme: 'https',
    port: undefined,
    method: 'DELETE',
  })
})

test('a path is matched as a data plane would send it', () => {
  expect(requestOf('request: http://a/b/../c%2Fd/%2e%2e/e').path).toBe('/e')
})

test('a test comes before its request line, and that before the defaults', () => {
  const defaults = 'defaults: {host: d.example.com, scheme: https, port: 1, headers: {X-A: d, x-b: d}}'
  const usual = requestOf('request: /', defaults)
  expect(usual).toMatchObject({ scheme: 'https', authority: 'd.example.com', port: 1 })
  const url = requestOf('request: http://u.example.com:2/', defaults)
  expect(url).toMatchObject({ scheme: 'http', authority: 'u.example.com:2', port: 2 })
  const own = requestOf(
    'request: http://u.example.com:2/\nscheme: https\nhost: t.example.com\nport: 3\nheaders: {x-a: [t, u]}',
    defaults,
  )
  expect(own).toMatchObject({ scheme: 'https', authority: 't.example.com', port: 3 })
  expect([own.header('x-a'), own.header('x-b'), own.header('x-c')]).toEqual(['t, u', 'd', undefined])
})

test('a call is a POST of gRPC', () => {
  const call = requestOf('grpc: shop.Cart/Add\nhost: api.example.com')
  expect(call).toMatchObject({ method: 'POST', path: '/shop.Cart/Add', authority: 'api.example.com' })
  expect(call.header('content-type')).toBe('application/grpc')
  expect(requestOf('grpc: https://api.example.com/shop.Cart/Add')).toMatchObject({
    path: '/shop.Cart/Add',
    scheme: 'https',
  })
})

test('connections have a port, and those of TLS a server name', () => {
  const subjectOf = (fields: string) => only(`tests:\n- name: t\n  expect: db\n  ${fields}\n`).subject
  expect(subjectOf('tls: db.example.com')).toEqual({ type: 'tls', serverName: 'db.example.com', port: 443 })
  expect(subjectOf('tls: db.example.com:5432')).toEqual({ type: 'tls', serverName: 'db.example.com', port: 5432 })
  expect(subjectOf('tls: ":5432"')).toEqual({ type: 'tls', serverName: '', port: 5432 })
  expect(subjectOf('tcp: 5432')).toEqual({ type: 'tcp', serverName: '', port: 5432 })
  expect(subjectOf('udp: 53')).toEqual({ type: 'udp', serverName: '', port: 53 })
})

const key = fc.constantFrom(
  'name',
  'request',
  'grpc',
  'tls',
  'headers',
  'expect',
  'set',
  'backend',
  'mirrors',
  'rule',
  'x',
)
const leaf = fc.oneof(fc.constantFrom('http://a/', 'cart', 404, null, true, '', []), fc.string(), fc.double())
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 2, arbitrary: fc.dictionary(key, tie('tree'), { maxKeys: 4 }) },
    { weight: 1, arbitrary: fc.array(tie('tree'), { maxLength: 2 }) },
  ),
}))

test('whatever stands in a file gives tests or problems, and no throw', () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(key, tree), { minLength: 1, maxLength: 3 }), (given) => {
      const { tests, problems } = readTests('t.yaml', JSON.stringify({ tests: given }))
      expect(tests.length + problems.length).toBeGreaterThan(0)
      for (const { line } of problems) expect(line).toBe(1)
    }),
  )
})
