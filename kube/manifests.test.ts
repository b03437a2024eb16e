import { expect, test } from 'vitest'
import { parseManifests } from './manifests.ts'
import { formatProblem } from './problem.ts'

const route = (spec: string): string =>
  `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: web\nspec:\n${spec}`
const namespace = (name: string): string => `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n`

const problemsOf = (text: string): string[] => parseManifests('web.yaml', text).problems.map(formatProblem)
const namesIn = (text: string): string[] => parseManifests('a.yaml', text).objects.map(({ metadata }) => metadata.name)

test.for<[string, string, string]>([
  [
    'a misspelt kind',
    'apiVersion: gateway.networking.k8s.io/v1\nkind: HttpRoute\nmetadata: {name: web}\n',
    'web.yaml:2: HttpRoute web kind: gateway.networking.k8s.io/v1 has no kind HttpRoute; did you mean HTTPRoute?',
  ],
  [
    'a version that is gone',
    route('  rules: []\n').replace('/v1', '/v1alpha2'),
    'web.yaml:1: HTTPRoute default/web apiVersion: gateway.networking.k8s.io/v1alpha2 is not served for HTTPRoute; write gateway.networking.k8s.io/v1',
  ],
  [
    'the group of another kind',
    'apiVersion: networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: web}\n',
    'web.yaml:1: Gateway default/web apiVersion: networking.k8s.io/v1 has no kind Gateway; write gateway.networking.k8s.io/v1',
  ],
  [
    'a number in quotes',
    route('  rules:\n  - backendRefs:\n    - name: a\n      port: "80"\n'),
    'web.yaml:9: HTTPRoute default/web spec.rules[0].backendRefs[0].port: "80" is text, and a number is needed; write 80 without quotes',
  ],
  [
    'a text that YAML reads as a boolean',
    route('  rules:\n  - matches:\n    - headers:\n      - name: x-beta\n        value: yes\n'),
    'web.yaml:10: HTTPRoute default/web spec.rules[0].matches[0].headers[0].value: is the boolean true, as YAML also reads yes, no, on, off, y and n; put the text in quotes',
  ],
  [
    'a field that is missing',
    route('  rules:\n  - backendRefs:\n    - port: 80\n'),
    'web.yaml:8: HTTPRoute default/web spec.rules[0].backendRefs[0].name: is missing; write the name of the object that is meant',
  ],
  [
    'a Service without its port',
    route('  rules:\n  - backendRefs:\n    - name: a\n'),
    'web.yaml:8: HTTPRoute default/web spec.rules[0].backendRefs[0].port: is missing; a reference to a Service needs the port, from 1 to 65535',
  ],
  [
    'a misspelt field',
    route('  rules:\n  - backendRef:\n    - name: a\n'),
    'web.yaml:7: warning: HTTPRoute default/web spec.rules[0].backendRef: unknown field, ignored; did you mean backendRefs?',
  ],
  [
    'a field that is indented too far',
    route('  rules:\n  - matches:\n    - method: GET\n      backendRefs:\n      - name: a\n'),
    'web.yaml:9: warning: HTTPRoute default/web spec.rules[0].matches[0].backendRefs: unknown field, ignored; it belongs 2 levels up: check the indentation',
  ],
  [
    'a value that is not in the list',
    route('  rules:\n  - matches:\n    - path: {type: Prefix, value: /}\n'),
    'web.yaml:8: HTTPRoute default/web spec.rules[0].matches[0].path.type: "Prefix" is no value of this field; did you mean PathPrefix?',
  ],
  [
    'an object in place of a list',
    route('  rules:\n  - matches:\n      method: GET\n'),
    'web.yaml:7: HTTPRoute default/web spec.rules[0].matches: is an object with fields, and a list is needed; begin each item with "- "',
  ],
  [
    'a path without its slash',
    route('  rules:\n  - matches:\n    - path: {value: api}\n'),
    'web.yaml:8: HTTPRoute default/web spec.rules[0].matches[0].path.value: "api" does not begin with "/"; write "/api"',
  ],
  [
    'two redirects',
    route('  rules:\n  - filters:\n    - &r {type: RequestRedirect, requestRedirect: {port: 80}}\n    - *r\n'),
    'web.yaml:9: HTTPRoute default/web spec.rules[0].filters[1]: a list takes one RequestRedirect filter; remove this one or the one at filters[0]',
  ],
  [
    'a filter without its settings',
    route('  rules:\n  - filters:\n    - type: URLRewrite\n'),
    'web.yaml:8: HTTPRoute default/web spec.rules[0].filters[0].urlRewrite: is missing; a filter of type URLRewrite is configured there',
  ],
  [
    'a backend timeout beyond the whole',
    route('  rules:\n  - timeouts: {request: 1s, backendRequest: 1001ms}\n'),
    'web.yaml:7: HTTPRoute default/web spec.rules[0].timeouts.backendRequest: 1001ms is longer than the whole request may take, 1s; shorten it',
  ],
  [
    'a wildcard without quotes',
    route('  hostnames:\n  - *.example.com\n'),
    'web.yaml:7: YAML reads *.example.com as an alias, and there is no anchor &.example.com before it; put a text that begins with "*" in quotes',
  ],
  ['a tab', route('\thostnames: []\n'), 'web.yaml:6: a tab indents this line; use spaces'],
  [
    'a quote left open',
    route('  hostnames: ["a.com]\n  rules: []\n'),
    'web.yaml:6: this quote is not closed; close it',
  ],
  [
    'a line that is out of line',
    route('  hostnames:\n  - a.com\n rules: []\n'),
    'web.yaml:8: this line is indented neither as the one above nor as a field above that; line it up',
  ],
  [
    'a field given twice',
    route('  rules: []\n  rules: []\n'),
    'web.yaml:7: "rules" is given twice in one object; remove one',
  ],
  [
    'a template that was not rendered',
    route('  hostnames:\n  - {{ .Values.host }}\n'),
    'web.yaml:7: a key is a list or an object; write "key: value", or render the template first if {{ … }} is one',
  ],
  [
    'an object given twice',
    `${namespace('a')}---\n${namespace('a')}`,
    'web.yaml:6: Namespace a: is defined at web.yaml:1 already; remove one of the two',
  ],
  [
    'a namespace on a kind without',
    'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  namespace: b\n',
    'web.yaml:5: Namespace b/a metadata.namespace: this kind belongs to the whole cluster; remove the namespace',
  ],
  [
    'something that is no manifest',
    'replicas: 3\n',
    'web.yaml:1: kind is missing; write what the object is, such as kind: HTTPRoute',
  ],
  [
    'a list in place of an object',
    '- a\n- b\n',
    'web.yaml:1: is no Kubernetes object; write one with apiVersion, kind, metadata and spec',
  ],
  ['a control character', 'a: "\u0007"\n', 'web.yaml:1: holds the control character 0x07, which is no text; remove it'],
  [
    'aliases of aliases of aliases',
    `a: &a [${'x,'.repeat(100)}]\nb: &b [${'*a,'.repeat(100)}]\nc: [${'*b,'.repeat(100)}]\n`,
    'web.yaml:3: aliases stand for more than 100000 values; write them out, or use fewer',
  ],
  ['an alias within itself', 'a: &a [1, *a]\n', 'web.yaml:1: the alias *a stands within what it stands for'],
  [
    'lists without end',
    `a: ${'['.repeat(200)}${']'.repeat(200)}\n`,
    'web.yaml:1: lists and objects are nested more than 100 levels deep',
  ],
])('%s is told with its place and what would be right', ([, text, problem]) => {
  expect(problemsOf(text)[0]).toBe(problem)
})

test('a document in braces may come before others of YAML', () => {
  const flow = (name: string): string => `{ apiVersion: v1, kind: Namespace, metadata: { name: ${name} } }\n`
  expect(namesIn(`${flow('a')}---\n${namespace('b')}---\n${flow('c')}`)).toEqual(['a', 'b', 'c'])
})

test('a malformed document leaves the others of its file', () => {
  const text = `${namespace('a')}---\na: [\n---\n${namespace('b')}`
  expect(namesIn(text)).toEqual(['a', 'b'])
  expect(problemsOf(text)).toHaveLength(1)
})

test.for<[string, string, string[]]>([
  ['documents between "---"', `---\n${namespace('a')}---\n---\n# nothing\n---\n${namespace('b')}`, ['a', 'b']],
  ['documents after "..." and directives', `${namespace('a')}...\n%YAML 1.1\n---\n${namespace('b')}...\n`, ['a', 'b']],
  ['lines that end in CR LF', `${namespace('a')}---\n${namespace('b')}`.replaceAll('\n', '\r\n'), ['a', 'b']],
  ['a List', `apiVersion: v1\nkind: List\nitems:\n- ${namespace('a').trim().replaceAll('\n', '\n  ')}\n`, ['a']],
  [
    'the typed list of an API',
    '{"apiVersion": "v1", "kind": "NamespaceList", "items": [{"metadata": {"name": "a"}}]}',
    ['a'],
  ],
  ['JSON', '\n{"apiVersion": "v1", "kind": "Namespace",\n\t"metadata": {"name": "a"}}', ['a']],
  [
    'JSON texts in a row',
    ['a', 'b']
      .map((name) => `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"${name}","uid":"}{"}}`)
      .join('\n'),
    ['a', 'b'],
  ],
  ['merged fields', `apiVersion: v1\nkind: Namespace\nmetadata: {<<: {name: b, uid: u}, name: a}\n`, ['a']],
  ['a text with a marker in it', `${namespace('a')}  annotations:\n    a: |\n      ---\n      b\n`, ['a']],
])('%s are read', ([, text, names]) => {
  expect(problemsOf(text)).toEqual([])
  expect(namesIn(text)).toEqual(names)
})

test('plain scalars mean what they mean to kubectl', () => {
  const values = '{a: 12:30:45, b: 2026-01-01, c: "1", d: !!str 5, e: 1.2.3, f: ~, g: 0x}'
  const [object] = parseManifests(
    'a.yaml',
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: ${values}\n`,
  ).objects
  expect(object).toMatchObject({
    data: { a: '12:30:45', b: '2026-01-01', c: '1', d: '5', e: '1.2.3', f: '', g: '0x' },
  })
  const ports =
    '[{name: a, port: 0x50}, {name: b, port: 0o120, protocol: UDP}, {name: c, port: 8_080}, {name: d, port: 1e2}]'
  const [service] = parseManifests(
    'a.yaml',
    `apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: ${ports}}\n`,
  ).objects
  expect(service).toMatchObject({ spec: { ports: [{ port: 80 }, { port: 80 }, { port: 8080 }, { port: 100 }] } })
})

const json = (kind: string, fields: object): string =>
  JSON.stringify({ apiVersion: 'gateway.networking.k8s.io/v1', kind, metadata: { name: 'a' }, ...fields })
const dots = 'a.'.repeat(3_000_000)

test.for<[string, string]>([
  ['lists in lists', '{"apiVersion":"v1","kind":"List","items":['.repeat(5000) + ']}'.repeat(5000)],
  ['arrays in arrays', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['objects in objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ['dashes on a line', '- '.repeat(100_000)],
  ['empty documents', '---\n'.repeat(1_000_000)],
  ['tiny documents', 'a\n---\n'.repeat(300_000)],
  ['the same parent many times', json('HTTPRoute', { spec: { parentRefs: Array(30_000).fill({ name: 'a' }) } })],
  [
    'unknown fields',
    json('HTTPRoute', { spec: Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`k${i}`, i])) }),
  ],
  ['a long path', json('HTTPRoute', { spec: { rules: [{ matches: [{ path: { value: `/${dots}` } }] }] } })],
  [
    'a header value that nearly fits',
    json('HTTPRoute', {
      spec: { rules: [{ matches: [{ headers: [{ name: 'a', value: `${'a'.repeat(4000)}\u00e9` }] }] }] },
    }),
  ],
  [
    'a long address',
    json('Gateway', { spec: { gatewayClassName: 'a', addresses: [{ type: 'Hostname', value: dots }], listeners: [] } }),
  ],
  ['a long key', json('Gateway', { metadata: { name: 'a', labels: { [dots]: dots } } })],
  ['a long secret', json('Secret', { apiVersion: 'v1', data: { a: 'A'.repeat(20_000_000) } })],
  ['a long line', `a: [${'b, '.repeat(300_000)}`],
])('text of %s is read in seconds and without a crash', ([, text]) => {
  const begin = performance.now()
  for (const { field } of parseManifests('a.yaml', text).problems) expect(field.length).toBeLessThan(300)
  expect(performance.now() - begin).toBeLessThan(10_000)
})

test('other kinds are counted and left alone', () => {
  const others = 'apiVersion: apps/v1\nkind: Deployment\n---\napiVersion: networking.istio.io/v1\nkind: Gateway\n'
  expect(parseManifests('a.yaml', others)).toMatchObject({ objects: [], problems: [], ignored: 2 })
})

test('a field has a line, and a field that is not written has that of what is around it', () => {
  const text = `# first\n---\n${route('  rules:\n  - backendRefs:\n    - name: a\n      port: 80\n')}`
  const { objects, where } = parseManifests('a.yaml', text)
  const [object] = objects
  if (object === undefined) throw new Error('no object')
  expect(where(object)).toEqual({ file: 'a.yaml', line: 3 })
  expect(where(object, ['spec', 'rules', 0, 'backendRefs', 0, 'port']).line).toBe(11)
  expect(where(object, ['spec', 'rules', 0, 'backendRefs', 0, 'weight']).line).toBe(10)
  expect(where(object, ['spec', 'rules', 0, 'matches', 0, 'path']).line).toBe(9)
})
