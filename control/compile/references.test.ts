import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import {
  compiled,
  endpointSlice,
  gateway,
  gatewayClass,
  httpRoute,
  referenceGrant,
  service,
  udpRoute,
} from './object-fixture.ts'

/** The reason of the first finding about a route that refers to `backendRef`, or "ResolvedRefs". */
function verdict(backendRef: object, ...objects: readonly KubeObject[]): string {
  const route = httpRoute({ spec: { rules: [{ backendRefs: [{ name: 'web', port: 80, ...backendRef }] }] } })
  const [state] = compiled(gatewayClass(), gateway(), route, ...objects).routes
  return state?.findings.find(({ condition }) => condition === 'ResolvedRefs')?.reason ?? 'ResolvedRefs'
}

test.for<[string, object, KubeObject[], string]>([
  ['a Service of the same namespace resolves', {}, [service()], 'ResolvedRefs'],
  ['a Service that does not exist is not found', {}, [], 'BackendNotFound'],
  ['a Service without the port is not found', { port: 81 }, [service()], 'BackendNotFound'],
  ['another group is an invalid kind', { group: 'example.com' }, [service()], 'InvalidKind'],
  ['another kind is an invalid kind', { kind: 'Pod' }, [service()], 'InvalidKind'],
  [
    'a Service of type ExternalName is refused',
    {},
    [service({ spec: { type: 'ExternalName', externalName: 'example.org' } })],
    'InvalidKind',
  ],
  [
    'a port for UDP cannot take HTTP',
    {},
    [service({ spec: { ports: [{ port: 80, protocol: 'UDP' }] } })],
    'UnsupportedProtocol',
  ],
  [
    'of two protocols on one port the one that fits is taken',
    {},
    [
      service({
        spec: {
          ports: [
            { name: 'u', port: 80, protocol: 'UDP' },
            { name: 't', port: 80 },
          ],
        },
      }),
    ],
    'ResolvedRefs',
  ],
  [
    'appProtocol h2c is spoken',
    {},
    [service({ spec: { ports: [{ port: 80, appProtocol: 'kubernetes.io/h2c' }] } })],
    'ResolvedRefs',
  ],
  [
    'appProtocol https without a BackendTLSPolicy cannot be spoken',
    {},
    [service({ spec: { ports: [{ port: 80, appProtocol: 'https' }] } })],
    'UnsupportedProtocol',
  ],
  ['a headless Service resolves', {}, [service({ spec: { clusterIP: 'None' } })], 'ResolvedRefs'],
])('%s', ([, backendRef, objects, expected]) => {
  expect(verdict(backendRef, ...objects)).toBe(expected)
})

const shop = service({ metadata: { namespace: 'shop' } })
const grant = (change: { metadata?: object; from?: object; to?: object } = {}) =>
  referenceGrant({
    metadata: { namespace: 'shop', ...change.metadata },
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default', ...change.from }],
      to: [{ group: '', kind: 'Service', ...change.to }],
    },
  })

test.for<[string, KubeObject[], string]>([
  ['without a grant a reference into another namespace is not permitted', [], 'RefNotPermitted'],
  ['a grant without a name permits all names', [grant()], 'ResolvedRefs'],
  ['a grant for this name permits it', [grant({ to: { name: 'web' } })], 'ResolvedRefs'],
  [
    'a grant in another namespace does not permit it',
    [grant({ metadata: { namespace: 'default' } })],
    'RefNotPermitted',
  ],
  ['a grant from another group does not permit it', [grant({ from: { group: 'example.com' } })], 'RefNotPermitted'],
  ['a grant from another kind does not permit it', [grant({ from: { kind: 'GRPCRoute' } })], 'RefNotPermitted'],
  ['a grant from another namespace does not permit it', [grant({ from: { namespace: 'shop' } })], 'RefNotPermitted'],
  ['a grant to another group does not permit it', [grant({ to: { group: 'example.com' } })], 'RefNotPermitted'],
  ['a grant to another kind does not permit it', [grant({ to: { kind: 'Secret' } })], 'RefNotPermitted'],
  ['a grant to another name does not permit it', [grant({ to: { name: 'other' } })], 'RefNotPermitted'],
  [
    'one grant of several is enough',
    [grant({ to: { name: 'other' } }), grant({ metadata: { name: 'two' } })],
    'ResolvedRefs',
  ],
])('%s', ([, grants, expected]) => {
  expect(verdict({ namespace: 'shop' }, shop, ...grants)).toBe(expected)
})

test('from and to must hold in one grant', () => {
  const halves = [grant({ from: { namespace: 'x' } }), grant({ metadata: { name: 'two' }, to: { name: 'x' } })]
  expect(verdict({ namespace: 'shop' }, shop, ...halves)).toBe('RefNotPermitted')
})

test('a Service that may not be referred to is not told from one that does not exist', () => {
  expect(verdict({ namespace: 'shop' })).toBe('RefNotPermitted')
})

test('a mirror needs a grant as a backend does, and is left out of the table without one', () => {
  const filters = [
    { type: 'RequestMirror', requestMirror: { backendRef: { name: 'web', namespace: 'shop', port: 80 } } },
  ]
  const route = httpRoute({ spec: { rules: [{ filters, backendRefs: [{ name: 'web', port: 80 }] }] } })
  const { tables, routes } = compiled(gatewayClass(), gateway(), route, service(), shop, endpointSlice())
  expect(routes[0]?.findings.map(({ reason }) => reason)).toEqual(['RefNotPermitted'])
  expect(tables[0]?.hosts[0]?.rules[0]?.filters).toEqual([])
})

test('a UDPRoute takes the port for UDP', () => {
  const udp = gateway({ spec: { listeners: [{ name: 'udp', port: 53, protocol: 'UDP' }] } })
  const dns = service({
    spec: {
      ports: [
        { name: 't', port: 80 },
        { name: 'u', port: 80, protocol: 'UDP' },
      ],
    },
  })
  const [state] = compiled(gatewayClass(), udp, udpRoute(), dns).routes
  expect(state?.findings).toEqual([])
})

test('an appProtocol that nobody knows is taken for HTTP/1.1, with a warning', () => {
  const odd = service({ spec: { ports: [{ port: 80, appProtocol: 'example.com/own' }] } })
  const { findings, tables } = compiled(gatewayClass(), gateway(), httpRoute(), odd, endpointSlice())
  expect(findings.map(({ severity, reason }) => [severity, reason])).toEqual([['warning', 'UnknownValue']])
  expect(tables[0]?.backends[0]?.protocol).toBe(0)
})
