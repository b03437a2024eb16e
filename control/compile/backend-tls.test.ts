import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import { AppProtocol, SubjectAltName_Kind } from '../../proto/gen/route_table.ts'
import { Snapshot } from '../snapshot.ts'
import { statuses } from '../status/statuses.ts'
import { certificate } from './certificate-fixture.ts'
import { compile } from './compile.ts'
import {
  authority,
  compiled,
  configMap,
  gateway,
  gatewayClass,
  httpRoute,
  policy,
  service,
  site,
} from './object-fixture.ts'

const web = service({
  spec: {
    ports: [
      { name: 'a', port: 80 },
      { name: 'b', port: 81 },
    ],
  },
})

/** Conditions of policies by name, as their one ancestor has them; those without an ancestor are missing. */
function conditions(...objects: readonly KubeObject[]): Record<string, string> {
  const route = httpRoute({ spec: { rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] } })
  const all = statuses(compiled(gatewayClass(), gateway(), route, web, authority(), ...objects), '')
  return Object.fromEntries(
    all.flatMap(({ object, status }) => {
      const words = status.ancestors?.[0]?.conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`)
      return words === undefined ? [] : [[object.metadata.name, words.join(' ')]]
    }),
  )
}

const fine = 'Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs'
const conflicted = 'Accepted=False/Conflicted ResolvedRefs=True/ResolvedRefs'
const target = (sectionName?: string) => ({
  targetRefs: [{ group: '', kind: 'Service', name: 'web', ...(sectionName && { sectionName }) }],
})
const named = (name: string, creationTimestamp: string, spec: object = {}) =>
  policy({ metadata: { name, creationTimestamp }, spec: { ...target(), ...spec } })
const [early, late] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z']

test('of policies with equal targets the older takes precedence', () => {
  expect(conditions(named('a', late), named('b', early))).toEqual({ a: conflicted, b: fine })
})

test('then the first in alphabetical order', () => {
  expect(conditions(named('b', early), named('a', early))).toEqual({ a: fine, b: conflicted })
})

test('a policy for a port does not conflict with one for the whole Service', () => {
  expect(conditions(named('a', early), named('b', late, target('b')))).toEqual({ a: fine, b: fine })
})

test('policies for one port conflict', () => {
  expect(conditions(named('a', early, target('b')), named('b', late, target('b')))).toEqual({ a: fine, b: conflicted })
})

test('a policy for a port that the Service has not got finds no target', () => {
  expect(conditions(named('a', early, target('c')))).toEqual({
    a: 'Accepted=False/TargetNotFound ResolvedRefs=True/ResolvedRefs',
  })
})

test('a policy for a Service that no route uses has no ancestors', () => {
  const other = policy({ spec: { targetRefs: [{ group: '', kind: 'Service', name: 'other' }] } })
  expect(conditions(other, service({ metadata: { name: 'other' } }))).toEqual({})
})

const ref = (name: string, more: object = {}) => ({ group: '', kind: 'ConfigMap', name, ...more })
const validation = (fields: object) => ({ validation: { hostname: 'web.example.com', ...fields } })

test.for<[string, object, string]>([
  ['a ConfigMap with ca.crt', { caCertificateRefs: [ref('ca')] }, fine],
  ['the certificates of the system', { wellKnownCACertificates: 'System' }, fine],
  [
    'another set of certificates',
    { wellKnownCACertificates: 'example.com/own' },
    'Accepted=False/Invalid ResolvedRefs=True/ResolvedRefs',
  ],
  [
    'a ConfigMap that does not exist',
    { caCertificateRefs: [ref('no')] },
    'Accepted=False/NoValidCACertificate ResolvedRefs=False/InvalidCACertificateRef',
  ],
  [
    'a ConfigMap that holds no certificate',
    { caCertificateRefs: [ref('malformed')] },
    'Accepted=False/NoValidCACertificate ResolvedRefs=False/InvalidCACertificateRef',
  ],
  [
    'another kind',
    { caCertificateRefs: [ref('ca', { kind: 'Secret' })] },
    'Accepted=False/NoValidCACertificate ResolvedRefs=False/InvalidKind',
  ],
  [
    'one that is good beside one that is not',
    { caCertificateRefs: [ref('no'), ref('ca')] },
    'Accepted=True/Accepted ResolvedRefs=False/InvalidCACertificateRef',
  ],
])('a CA: %s', ([, fields, expected]) => {
  const malformed = configMap({ metadata: { name: 'malformed' }, data: { 'ca.crt': 'x' } })
  expect(conditions(named('a', early, validation(fields)), malformed)).toEqual({ a: expected })
})

test('a policy that lost one of two targets keeps the other', () => {
  const other = service({ metadata: { name: 'other' } })
  const both = { targetRefs: ['web', 'other'].map((name) => ({ group: '', kind: 'Service', name })) }
  expect(conditions(other, named('a', early), named('b', late, both))).toEqual({ a: fine, b: fine })
})

/** The backends of the table of a Gateway whose route leads to port 80 of `web`. */
const backendsOf = (...objects: readonly KubeObject[]) =>
  compiled(gatewayClass(), gateway(), httpRoute(), web, authority(), ...objects).tables[0]?.backends

test('the table says how a backend must show who it is', () => {
  const subjectAltNames = [
    { type: 'Hostname', hostname: '*.example.com' },
    { type: 'URI', uri: 'spiffe://example.com/web' },
  ]
  const own = validation({ caCertificateRefs: [ref('no'), ref('ca'), ref('text')], subjectAltNames })
  const text = configMap({ metadata: { name: 'text' }, data: { 'ca.crt': `About this CA:\n${certificate}of 2026` } })
  expect(backendsOf(named('a', early, own), text)).toMatchObject([
    {
      key: 'default/web:80',
      tls: {
        hostname: 'web.example.com',
        authorities: certificate + certificate,
        subjectAltNames: [
          { kind: SubjectAltName_Kind.HOSTNAME, value: '*.example.com' },
          { kind: SubjectAltName_Kind.URI, value: 'spiffe://example.com/web' },
        ],
      },
    },
  ])
})

test('the authorities of the system have no certificate in the table', () => {
  const policy = named('a', early, validation({ wellKnownCACertificates: 'System' }))
  expect(backendsOf(policy)?.[0]?.tls).toEqual({ hostname: 'web.example.com', authorities: '', subjectAltNames: [] })
})

test('a backend without a trusted authority gets no request, rather than one in the clear', () => {
  const lost = named('a', early, validation({ caCertificateRefs: [ref('no')] }))
  const { tables } = compiled(gatewayClass(), gateway(), httpRoute(), web, lost)
  expect(tables[0]?.hosts[0]?.rules[0]?.backends[0]).toMatchObject({ backend: '', invalid: 'NoValidCACertificate' })
  expect(tables[0]?.backends).toEqual([])
})

test('a policy that comes or goes changes the backend and no other', () => {
  const other = service({ metadata: { name: 'other' } })
  const route = httpRoute({ spec: { rules: [{ backendRefs: ['web', 'other'].map((name) => ({ name, port: 80 })) }] } })
  const objects = [gatewayClass(), gateway(), route, web, other, authority()]
  const before = compile(Snapshot.of(objects), site)
  const after = compile(Snapshot.of(objects).next([...objects, policy()]), site, before)
  expect(after.tables[0]?.backends.map(({ key, tls }) => `${key} ${tls?.hostname}`)).toEqual([
    'default/other:80 undefined',
    'default/web:80 web.example.com',
  ])
  expect(after.tables[0]?.backends[0]).toBe(before.tables[0]?.backends[0])
  expect(after.tables[0]?.hosts).toEqual(before.tables[0]?.hosts)
})

const edge = gatewayClass({ spec: { controllerName: 'landfall.dev/edge-controller' } })
const byUrl = { 'landfall.dev/origin': 'url', 'landfall.dev/origin-address': 'https://web.example.com' }

test.for<[string, KubeObject, object, string]>([
  ['through the connector', edge, {}, ''],
  ['not by URL, which no policy can reach', edge, byUrl, 'UnsupportedProtocol'],
  ['stand-alone whatever the way of a Worker would be', gatewayClass(), byUrl, ''],
])('a policy is served %s', ([, gatewayClass, annotations, invalid]) => {
  const annotated = service({ metadata: { annotations } })
  const { tables, routes } = compiled(gatewayClass, gateway(), httpRoute(), annotated, authority(), policy())
  expect(tables[0]?.hosts[0]?.rules[0]?.backends[0]?.invalid).toBe(invalid)
  expect(routes[0]?.findings.map(({ condition, reason }) => `${condition} ${reason}`)).toEqual(
    invalid === '' ? [] : ['ResolvedRefs UnsupportedProtocol'],
  )
})

test('appProtocol https is spoken under a policy', () => {
  const secure = service({ spec: { ports: [{ port: 80, appProtocol: 'https' }] } })
  const { routes, tables } = compiled(gatewayClass(), gateway(), httpRoute(), secure, authority(), policy())
  expect(routes[0]?.findings).toEqual([])
  expect(tables[0]?.backends).toMatchObject([{ protocol: AppProtocol.HTTP1, tls: { hostname: 'web.example.com' } }])
})
