import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { parseManifests } from '../kube/manifests.ts'
import type { Problem } from '../kube/problem.ts'
import { yamlSchema } from '../kube/yaml/scalars.ts'
import { splitDocuments } from '../kube/yaml/split.ts'

const own = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: edge
spec:
  gatewayClassName: landfall
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - name: https
    hostname: "*.example.com"
    port: 443
    protocol: HTTPS
    tls:
      certificateRefs: [{name: cert}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: web
  labels: &labels {app: web, tier: "1"}
spec:
  parentRefs:
  - name: edge
  hostnames: [web.example.com]
  rules:
  - matches:
    - path: {type: Exact, value: /login}
      headers:
      - name: x-version
        value: two
    filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set: [{name: x-a, value: b}]
    backendRefs:
    - name: web
      port: 8080
      weight: 3
---
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: &more {app: web}
  annotations: {<<: *more, a: b}
spec:
  selector: {app: web}
  ports:
  - name: http
    port: 8080
    targetPort: 80
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
spec:
  rules:
  - matches:
    - path:
        value: /shop
    filters:
    - type: URLRewrite
      urlRewrite:
        path:
          type: ReplacePrefixMatch
          replacePrefixMatch: /
    backendRefs:
    - {name: web, port: 8080}
---
apiVersion: v1
kind: Secret
metadata: {name: cert}
type: kubernetes.io/tls
data:
  tls.crt: |
    YWJj
    ZGVm
  tls.key: YWJj
`

const folder = join(import.meta.dirname, '../../shared/conformance/manifests')
const files = existsSync(folder)
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))
  : []

/** Documents of all manifests, those of the conformance suite included where they are beside this checkout. */
const documents = [own, ...files.map((name) => readFileSync(join(folder, name), 'utf8'))].flatMap((text) =>
  splitDocuments(text).map((document) => document.text),
)

type Draw = (n: number) => number

const pick = <T>(values: readonly T[], draw: Draw): T | undefined => values[draw(values.length)]

const fragments: readonly string[] = [
  ...[
    ':',
    ': ',
    '- ',
    '-',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '|',
    '>',
    '|+2\n',
    '#',
    ' #',
    '?',
    '? ',
    ',',
    '%',
    '@',
    '`',
    '\\',
  ],
  ...['&a ', '*a', '&a [*a]', '<<: *a\n', '!!str ', '!x ', '!!binary ', '---\n', '...\n', '%YAML 1.1\n', '%TAG ! x\n'],
  ...[
    '\t',
    '\n\t',
    '\n',
    '\r',
    '\r\n',
    '\0',
    '\u0007',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\ud800',
    'é',
    '\u{1f600}',
    ' ',
    '   ',
  ],
  ...[
    'null',
    '~',
    'yes',
    '0x10',
    '1e400',
    '.nan',
    '-.inf',
    '12:30:45',
    '2026-01-01',
    '[[[[[[[[',
    '{{ .Values.x }}',
    '__proto__: {}\n',
  ],
]

const oddities: readonly unknown[] = [
  ...[null, true, -1, 0, 1.5, 1e300, 65536, '', 'x', 'A b', '8080', '/a/../b', '*', '*.example.com', 'x'.repeat(5000)],
  ...[
    [],
    {},
    [null],
    [[[]]],
    { a: { b: [] } },
    Array.from({ length: 200 }, () => ({})),
    JSON.parse('{"__proto__": 1}'),
  ],
]

function mutateText(text: string, draw: Draw): string {
  const at = draw(text.length + 1)
  const end = Math.min(text.length, at + draw(40))
  const lines = text.split('\n')
  const line = draw(lines.length)
  switch (draw(8)) {
    case 0:
      return text.slice(0, at) + text.slice(end)
    case 1:
      return text.slice(0, at) + text.slice(at, end).repeat(1 + draw(4)) + text.slice(end)
    case 2:
      return lines.toSpliced(line, 1).join('\n')
    case 3:
      return lines.toSpliced(line, 0, pick(lines, draw) ?? '').join('\n')
    case 4:
      return lines.with(line, ' '.repeat(draw(8)) + (lines[line] ?? '').trimStart()).join('\n')
    case 5:
      return text.slice(0, at) + (pick(documents, draw) ?? '').slice(draw(300))
    default:
      return text.slice(0, at) + (pick(fragments, draw) ?? '') + text.slice(at)
  }
}

interface Spot {
  readonly holder: Record<string, unknown>
  readonly key: string
}

const spots = (value: unknown): Spot[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, field]) => [{ holder: Object(value), key }, ...spots(field)])
    : []

function mutateObject(object: unknown, draw: Draw): void {
  const { holder, key } = pick(spots(object), draw) ?? { holder: {}, key: '' }
  switch (draw(4)) {
    case 0:
      delete holder[key]
      return
    case 1:
      holder[key + (pick(['s', 'x', '.y', ' '], draw) ?? '')] = holder[key]
      if (!Array.isArray(holder)) delete holder[key]
      return
    case 2:
      holder[key] = structuredClone(pick(spots(object), draw)?.holder)
      return
    default:
      holder[key] = structuredClone(pick(oddities, draw))
  }
}

/** A problem's field as steps: "spec.rules[0].name", `metadata.labels["a/b"]`. */
const stepsOf = (field: string): (string | number)[] =>
  [...field.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g)].map(([, index, quoted, plain]) =>
    index !== undefined ? Number(index) : quoted !== undefined ? JSON.parse(`"${quoted}"`) : (plain ?? ''),
  )

const below = (value: unknown, step: string | number): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined

/** Whether all of a field but its last step is there. */
function hasParent(object: unknown, field: string): boolean {
  let at = object
  for (const step of stepsOf(field).slice(0, -1)) at = below(at, step)
  return at !== undefined
}

const fileName = 'dir/manifest.yaml'

/** Reads the text, within seconds, and checks what holds of every answer. */
function check(text: string): readonly Problem[] {
  const begin = performance.now()
  const { objects, problems, where } = parseManifests(fileName, text)
  expect(performance.now() - begin).toBeLessThan(5000)
  const lines = text.split('\n').length
  for (const { file, line, message, kind, field } of problems) {
    expect(file).toBe(fileName)
    expect(line).toBeGreaterThanOrEqual(1)
    expect(line).toBeLessThanOrEqual(lines)
    expect(message).not.toBe('')
    if (kind === '') expect(field).toMatch(/^(kind|apiVersion)?$/)
  }
  for (const object of objects) expect(where(object).line).toBeLessThanOrEqual(lines)
  return problems
}

test('there are manifests to change', () => {
  expect(documents.length).toBeGreaterThanOrEqual(4)
  for (const document of documents)
    expect(check(document).filter(({ message }) => message.includes('undefined'))).toEqual([])
})

test('a text with anything changed in it is read without a crash, and every problem names its line', {
  timeout: 240_000,
}, () => {
  let rejected = 0
  const changed = fc.property(fc.gen(), (next) => {
    const draw: Draw = (n) => next(fc.nat) % Math.max(n, 1)
    let text = pick(documents, draw) ?? ''
    for (let left = 1 + draw(3); left > 0; left--) text = mutateText(text, draw)
    if (check(text).length > 0) rejected++
  })
  fc.assert(changed, { numRuns: 5000, seed: 1 })
  expect(rejected).toBeGreaterThan(1000)
})

test('an object with anything changed in it is read without a crash, and every problem names the field and its line', {
  timeout: 240_000,
}, () => {
  let rejected = 0
  const changed = fc.property(fc.gen(), (next) => {
    const draw: Draw = (n) => next(fc.nat) % Math.max(n, 1)
    const object: unknown = parse(pick(documents, draw) ?? '')
    for (let left = 1 + draw(2); left > 0; left--) mutateObject(object, draw)
    const text = draw(4) === 0 ? JSON.stringify(object, null, 2) : stringify(object, { aliasDuplicateObjects: false })
    const problems = check(text)
    if (problems.length > 0) rejected++
    const lines = text.split('\n')
    const read: unknown = parseAllDocuments(text, { schema: yamlSchema })[0]?.toJS()
    for (const { field, line } of problems) {
      expect(hasParent(read, field), field).toBe(true)
      const steps = stepsOf(field)
      const last = steps.at(-1)
      const there = steps.reduce((at, step) => below(at, step), read) !== undefined
      if (there && typeof last === 'string') expect(lines[line - 1], field).toContain(last.slice(0, 20))
    }
  })
  fc.assert(changed, { numRuns: 5000, seed: 1 })
  expect(rejected).toBeGreaterThan(1000)
})
