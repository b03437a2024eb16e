import { expect, test } from 'vitest'
import { milliseconds } from './fields.ts'
import { kinds } from './objects.ts'
import { formatField } from './problem.ts'
import { validate } from './validate.ts'

type Fields = Readonly<Record<string, unknown>>

const apiVersions: Readonly<Record<string, string>> = {
  ConfigMap: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  Namespace: 'v1',
  Secret: 'v1',
  Service: 'v1',
}

const object = (kind: string, fields: Fields): Fields => ({
  apiVersion: apiVersions[kind] ?? 'gateway.networking.k8s.io/v1',
  kind,
  metadata: { name: 'it' },
  ...fields,
})

const faultsOf = (value: unknown): string[] =>
  validate(value).faults.map(({ path, message }) => `${formatField(path)}: ${message}`)

const route = (rule: Fields): Fields => object('HTTPRoute', { spec: { rules: [rule] } })
const gateway = (...listeners: Fields[]): Fields =>
  object('Gateway', {
    spec: {
      gatewayClassName: 'landfall',
      listeners: listeners.map((it, index) => ({ name: `l${index}`, port: 80 + index, ...it })),
    },
  })
const service = (spec: Fields): Fields => object('Service', { spec })
const slice = (fields: Fields): Fields => object('EndpointSlice', { addressType: 'IPv4', ...fields })

const redirect = { type: 'RequestRedirect', requestRedirect: { port: 80 } }
const replacePrefix = {
  type: 'URLRewrite',
  urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
}

// The test over the API's own definitions sees every rule; these are the ones that people meet.
test.for<[rule: string, right: Fields, wrong: Fields, field: string]>([
  [
    'ReplacePrefixMatch needs one match, of type PathPrefix',
    route({ filters: [replacePrefix], matches: [{ path: { value: '/a' } }] }),
    route({ filters: [replacePrefix], matches: [{ path: { type: 'Exact', value: '/a' } }] }),
    'spec.rules[0].filters[0].urlRewrite.path.replacePrefixMatch',
  ],
  [
    'a redirect has no backends',
    route({ filters: [redirect] }),
    route({ filters: [redirect], backendRefs: [{ name: 'a', port: 80 }] }),
    'spec.rules[0].backendRefs',
  ],
  [
    'a redirect and a rewrite do not go together',
    route({ filters: [redirect] }),
    route({ filters: [redirect, { type: 'URLRewrite', urlRewrite: { hostname: 'a' } }] }),
    'spec.rules[0].filters[1]',
  ],
  [
    'a Service is meant with a port',
    route({ backendRefs: [{ group: 'example.com', kind: 'Store', name: 'a' }] }),
    route({ backendRefs: [{ name: 'a' }] }),
    'spec.rules[0].backendRefs[0].port',
  ],
  [
    'a mirror takes a percent or a fraction',
    route({ filters: [{ type: 'RequestMirror', requestMirror: { backendRef: { name: 'a', port: 80 }, percent: 5 } }] }),
    route({
      filters: [
        {
          type: 'RequestMirror',
          requestMirror: { backendRef: { name: 'a', port: 80 }, percent: 5, fraction: { numerator: 1 } },
        },
      ],
    }),
    'spec.rules[0].filters[0].requestMirror.fraction',
  ],
  [
    'a header is matched once',
    route({ matches: [{ headers: [{ name: 'a', value: 'b' }] }] }),
    route({
      matches: [
        {
          headers: [
            { name: 'a', value: 'b' },
            { name: 'a', value: 'c' },
          ],
        },
      ],
    }),
    'spec.rules[0].matches[0].headers[1].name',
  ],
  [
    'a permanent cookie has an end',
    route({ sessionPersistence: { cookieConfig: { lifetimeType: 'Permanent' }, absoluteTimeout: '1h' } }),
    route({ sessionPersistence: { cookieConfig: { lifetimeType: 'Permanent' } } }),
    'spec.rules[0].sessionPersistence.absoluteTimeout',
  ],
  [
    'listeners differ in port, protocol or hostname',
    gateway({ protocol: 'HTTP', hostname: 'a' }, { protocol: 'HTTP', hostname: 'b', port: 80 }),
    gateway({ protocol: 'HTTP', hostname: 'a' }, { protocol: 'HTTP', hostname: 'a', port: 80 }),
    'spec.listeners[1]',
  ],
  [
    'TLS that ends at a listener needs a certificate',
    gateway({ protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'a' }] } }),
    gateway({ protocol: 'HTTPS', tls: {} }),
    'spec.listeners[0].tls.certificateRefs',
  ],
  [
    'references to one parent are told apart in the same way',
    object('HTTPRoute', {
      spec: {
        parentRefs: [
          { name: 'a', port: 1 },
          { name: 'a', port: 2 },
        ],
      },
    }),
    object('HTTPRoute', {
      spec: {
        parentRefs: [
          { name: 'a', port: 1 },
          { name: 'a', sectionName: 'b' },
        ],
      },
    }),
    'spec.parentRefs[1]',
  ],
  [
    'the ports of a Service have names where there are several',
    service({ ports: [{ port: 80 }] }),
    service({ ports: [{ port: 80 }, { port: 81, name: 'b' }] }),
    'spec.ports[0].name',
  ],
  [
    'a Service has ports, unless it is headless',
    service({ clusterIP: 'None' }),
    service({ selector: { app: 'a' } }),
    'spec.ports',
  ],
  [
    'the ports of a Service differ in number or protocol',
    service({
      ports: [
        { name: 'a', port: 53 },
        { name: 'b', port: 53, protocol: 'UDP' },
      ],
    }),
    service({
      ports: [
        { name: 'a', port: 53 },
        { name: 'b', port: 53 },
      ],
    }),
    'spec.ports[1].port',
  ],
  [
    'a target port is a number or the name of a port',
    service({ ports: [{ port: 80, targetPort: 'http-alt' }] }),
    service({ ports: [{ port: 80, targetPort: '8080' }] }),
    'spec.ports[0].targetPort',
  ],
  [
    'an ExternalName has a hostname',
    service({ type: 'ExternalName', externalName: 'db.example.com.' }),
    service({ type: 'ExternalName', ports: [{ port: 80 }] }),
    'spec.externalName',
  ],
  [
    'an endpoint has addresses of the slice’s type',
    slice({ endpoints: [{ addresses: ['127.0.0.1'] }] }),
    slice({ endpoints: [{ addresses: ['::1'] }] }),
    'endpoints[0].addresses[0]',
  ],
  [
    'the ports of a slice differ in name',
    slice({ ports: [{ port: 80 }, { name: 'b', port: 80 }] }),
    slice({ ports: [{ port: 80 }, { port: 81 }] }),
    'ports[1].name',
  ],
  [
    'the data of a Secret is base64',
    object('Secret', { data: { a: 'YWJj\nZGVm', b: null, c: 'YQ==' } }),
    object('Secret', { data: { a: 'plain text' } }),
    'data.a',
  ],
  [
    'a Secret for TLS has a certificate and a key',
    object('Secret', { type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'a', 'tls.key': 'b' } }),
    object('Secret', { type: 'kubernetes.io/tls', data: { 'tls.crt': 'YQ==' } }),
    'data',
  ],
  [
    'a key is in the data of a ConfigMap or in its binary data',
    object('ConfigMap', { data: { a: 'b' }, binaryData: { c: 'YQ==' } }),
    object('ConfigMap', { data: { a: 'b' }, binaryData: { a: 'YQ==' } }),
    'binaryData.a',
  ],
  [
    'the name of a Namespace is one label',
    object('Namespace', {}),
    object('Namespace', { metadata: { name: 'a.b' } }),
    'metadata.name',
  ],
  [
    'a label has a value of up to 63 characters',
    object('Namespace', { metadata: { name: 'a', labels: { 'example.com/a': '' } } }),
    object('Namespace', { metadata: { name: 'a', labels: { 'example.com/a': 'a'.repeat(64) } } }),
    'metadata.labels["example.com/a"]',
  ],
])('%s', ([, right, wrong, field]) => {
  expect(faultsOf(right)).toEqual([])
  expect(faultsOf(wrong)).toEqual([expect.stringMatching(/: /)])
  expect(faultsOf(wrong)[0]?.split(': ')[0]).toBe(field)
})

test('what an object leaves out is as the API server gives it', () => {
  expect(validate(route({ backendRefs: [{ name: 'a', port: 80, weight: null }] })).object).toEqual({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'it', namespace: 'default', labels: {}, annotations: {}, generation: 1 },
    spec: {
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ group: '', kind: 'Service', name: 'a', port: 80, weight: 1 }],
        },
      ],
    },
  })
  expect(validate(service({ ports: [{ port: 80 }] })).object).toMatchObject({
    spec: { type: 'ClusterIP', ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }] },
  })
  expect(validate(object('Namespace', {})).object).toMatchObject({
    metadata: { labels: { 'kubernetes.io/metadata.name': 'it' } },
  })
  expect(validate(object('Secret', { data: { a: 'YQ==' }, stringData: { a: 'é' } })).object).toMatchObject({
    type: 'Opaque',
    data: { a: 'w6k=' },
  })
})

test('a creation time is in UTC and to the second, so that times compare as texts', () => {
  const at = (creationTimestamp: string) =>
    validate(object('Namespace', { metadata: { name: 'a', creationTimestamp } }))
  expect(at('2026-01-01T01:30:00.5+02:00').object?.metadata.creationTimestamp).toBe('2025-12-31T23:30:00Z')
  expect(at('yesterday').object).toBeUndefined()
})

test('the status is not read, and unknown fields are dropped with a warning', () => {
  const { object: found, faults } = validate({
    ...object('Namespace', { metadata: { name: 'a', Labels: {} } }),
    status: { x: 1 },
  })
  expect(found).not.toHaveProperty('status')
  expect(faults).toEqual([
    { severity: 'warning', path: ['metadata', 'Labels'], message: 'unknown field, ignored; did you mean labels?' },
  ])
})

test('an object of many errors names the first of them', () => {
  const hostnames = Array.from({ length: 100_000 }, () => 1)
  const faults = faultsOf(object('HTTPRoute', { spec: { hostnames } }))
  expect(faults).toHaveLength(51)
  expect(faults.at(-1)).toBe(': has 99950 more errors; they show when these are gone')
})

test('durations are sums of their parts', () => {
  expect(milliseconds('1h30m2s5ms')).toBe(5_402_005)
  expect(milliseconds('0s')).toBe(0)
})

test('what is told of an object names it as the object does, with a namespace or without', () => {
  const names = Object.entries(kinds).flatMap(([kind, { group, served }]) => {
    const apiVersion = group === '' ? served[0] : `${group}/${served[0]}`
    const { namespace, faults } = validate({ apiVersion, kind, metadata: { name: 'x', namespace: 'somewhere' } })
    const isRefused = faults.some(({ path }) => path.join('.') === 'metadata.namespace')
    const { namespace: byDefault } = validate({ apiVersion, kind, metadata: { name: 'x' } })
    return namespace === 'somewhere' && byDefault === (isRefused ? '' : 'default') ? [] : [kind]
  })
  expect(names).toEqual([])
})
