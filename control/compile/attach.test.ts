import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import {
  compiled,
  gateway,
  gatewayClass,
  grpcRoute,
  httpRoute,
  listenerSet,
  namespace,
  tcpRoute,
  tlsRoute,
  udpRoute,
} from './object-fixture.ts'
import type { Route } from './routes.ts'

/** What a route comes to at a Gateway with these listeners: "Accepted" or the reason why not. */
function verdict(listeners: readonly object[], route: Route, metadata: object = {}): string {
  const all = listeners.map((listener, index) => ({
    name: `l${index}`,
    port: 80 + index,
    protocol: 'HTTP',
    ...listener,
  }))
  const [state] = compiled(
    gatewayClass(),
    namespace({ metadata: { name: 'team-a', labels: { team: 'a' } } }),
    gateway({ metadata, spec: { listeners: all } }),
    route,
  ).routes
  const [parent] = state?.parents ?? []
  return parent === undefined ? 'no parent' : (parent.findings[0]?.reason ?? 'Accepted')
}

const from = (parentRef: object, fields: object = {}, namespace = 'default') =>
  httpRoute({
    metadata: { namespace },
    spec: { parentRefs: [{ name: 'gw', namespace: 'default', ...parentRef }], ...fields },
  })
const open = (from: string, selector?: object) => ({
  allowedRoutes: { namespaces: { from, ...(selector && { selector }) } },
})
const teamA = { matchLabels: { team: 'a' } }
const kinds = (...names: string[]) => ({ allowedRoutes: { kinds: names.map((kind) => ({ kind })) } })

test.for<[string, object[], Route, string]>([
  ['a route that names the Gateway attaches to its listener', [{}], from({}), 'Accepted'],
  ['sectionName selects the listener by name', [{}, {}], from({ sectionName: 'l1' }), 'Accepted'],
  ['a sectionName that no listener has matches no parent', [{}], from({ sectionName: 'other' }), 'NoMatchingParent'],
  ['port selects the listeners of that port', [{}, {}], from({ port: 81 }), 'Accepted'],
  ['a port that no listener has matches no parent', [{}], from({ port: 8080 }), 'NoMatchingParent'],
  ['sectionName and port must both match', [{}, {}], from({ sectionName: 'l0', port: 81 }), 'NoMatchingParent'],
  ['a sectionName that matches its port attaches', [{}, {}], from({ sectionName: 'l1', port: 81 }), 'Accepted'],
  [
    "by default routes of the Gateway's own namespace only are allowed",
    [{}],
    from({}, {}, 'other'),
    'NotAllowedByListeners',
  ],
  ['from All allows every namespace', [open('All')], from({}, {}, 'other'), 'Accepted'],
  ['from Selector allows a namespace with the labels', [open('Selector', teamA)], from({}, {}, 'team-a'), 'Accepted'],
  [
    'from Selector allows no namespace without the labels',
    [open('Selector', teamA)],
    from({}, {}, 'team-b'),
    'NotAllowedByListeners',
  ],
  ['from Selector without a selector allows none', [open('Selector')], from({}), 'NotAllowedByListeners'],
  [
    'a namespace has the label kubernetes.io/metadata.name even where no manifest has the namespace',
    [open('Selector', { matchLabels: { 'kubernetes.io/metadata.name': 'unwritten' } })],
    from({}, {}, 'unwritten'),
    'Accepted',
  ],
  ['HTTP takes an HTTPRoute', [{ protocol: 'HTTP' }], httpRoute(), 'Accepted'],
  ['HTTP takes a GRPCRoute', [{ protocol: 'HTTP' }], grpcRoute(), 'Accepted'],
  ['HTTP takes no TLSRoute', [{ protocol: 'HTTP' }], tlsRoute(), 'NotAllowedByListeners'],
  ['HTTP takes no TCPRoute', [{ protocol: 'HTTP' }], tcpRoute(), 'NotAllowedByListeners'],
  ['TCP takes a TCPRoute', [{ protocol: 'TCP' }], tcpRoute(), 'Accepted'],
  ['TCP takes no UDPRoute', [{ protocol: 'TCP' }], udpRoute(), 'NotAllowedByListeners'],
  ['UDP takes a UDPRoute', [{ protocol: 'UDP' }], udpRoute(), 'Accepted'],
  ['TLS takes a TLSRoute', [{ protocol: 'TLS', tls: { mode: 'Passthrough' } }], tlsRoute(), 'Accepted'],
  ['TLS takes no HTTPRoute', [{ protocol: 'TLS', tls: { mode: 'Passthrough' } }], httpRoute(), 'NotAllowedByListeners'],
  ['allowedRoutes.kinds leaves out the others', [kinds('GRPCRoute')], httpRoute(), 'NotAllowedByListeners'],
  ['allowedRoutes.kinds lets in those that it names', [kinds('GRPCRoute', 'HTTPRoute')], httpRoute(), 'Accepted'],
  [
    'hostnames without a common name do not match',
    [{ hostname: 'a.example.com' }],
    from({}, { hostnames: ['b.example.com'] }),
    'NoMatchingListenerHostname',
  ],
  [
    'one common hostname is enough',
    [{ hostname: '*.example.com' }],
    from({}, { hostnames: ['example.com', 'b.example.com'] }),
    'Accepted',
  ],
  [
    'one listener that takes the route is enough',
    [{ hostname: 'a.example.com' }, {}],
    from({}, { hostnames: ['b.example.com'] }),
    'Accepted',
  ],
  [
    'where one listener refuses the namespace and another the hostname, the hostname is what is wrong',
    [{}, { ...open('All'), hostname: 'a.example.com' }],
    from({}, { hostnames: ['b.example.com'] }, 'other'),
    'NoMatchingListenerHostname',
  ],
  [
    'a listener whose protocol is unknown takes no route',
    [{ protocol: 'example.com/own' }, {}],
    from({ sectionName: 'l0' }),
    'NotAllowedByListeners',
  ],
])('%s', ([, listeners, route, expected]) => {
  expect(verdict(listeners, route)).toBe(expected)
})

const reasons = (route: Route, ...others: readonly KubeObject[]) =>
  compiled(gatewayClass(), ...others, route).routes.flatMap(({ parents }) =>
    parents.map(({ ref, findings }) => `${ref.kind} ${ref.name}: ${findings[0]?.reason ?? 'Accepted'}`),
  )

test('each parent has its own verdict', () => {
  const both = httpRoute({
    spec: { parentRefs: [{ name: 'gw' }, { name: 'closed' }, { kind: 'ListenerSet', name: 'set' }] },
  })
  const closed = gateway({
    metadata: { name: 'closed' },
    spec: { listeners: [{ name: 'tcp', port: 1, protocol: 'TCP' }] },
  })
  const parent = gateway({ spec: { allowedListeners: { namespaces: { from: 'All' } } } })
  expect(reasons(both, parent, closed, listenerSet())).toEqual([
    'Gateway gw: Accepted',
    'Gateway closed: NotAllowedByListeners',
    'ListenerSet set: Accepted',
  ])
})

test('a Gateway parentRef does not find the listeners of its ListenerSets', () => {
  const route = httpRoute({ spec: { parentRefs: [{ name: 'gw', sectionName: 'extra' }] } })
  const parent = gateway({ spec: { allowedListeners: { namespaces: { from: 'All' } } } })
  expect(reasons(route, parent, listenerSet())).toEqual(['Gateway gw: NoMatchingParent'])
})

test('"Same" on a ListenerSet means the namespace of the ListenerSet', () => {
  const parent = gateway({ spec: { allowedListeners: { namespaces: { from: 'All' } } } })
  const set = listenerSet({
    metadata: { namespace: 'team' },
    spec: { parentRef: { name: 'gw', namespace: 'default' } },
  })
  const parentRefs = [{ kind: 'ListenerSet', name: 'set', namespace: 'team' }]
  const route = (namespace: string) => httpRoute({ metadata: { namespace }, spec: { parentRefs } })
  expect(reasons(route('team'), parent, set)).toEqual(['ListenerSet set: Accepted'])
  expect(reasons(route('default'), parent, set)).toEqual(['ListenerSet set: NotAllowedByListeners'])
})

test('a ListenerSet that its Gateway does not take has no listeners for routes', () => {
  const route = httpRoute({ spec: { parentRefs: [{ kind: 'ListenerSet', name: 'set' }] } })
  expect(reasons(route, gateway(), listenerSet())).toEqual(['ListenerSet set: NoMatchingParent'])
})

test('parents of other controllers, and parents that are no Gateways, are not ours to judge', () => {
  const route = httpRoute({ spec: { parentRefs: [{ name: 'gw' }, { group: '', kind: 'Service', name: 'web' }] } })
  const other = gatewayClass({ spec: { controllerName: 'example.com/other' } })
  expect(compiled(other, gateway(), route).routes.flatMap(({ parents }) => parents)).toEqual([])
})

test('a parent that does not exist is told, though no status shows it', () => {
  const findings = compiled(gatewayClass(), httpRoute({ spec: { parentRefs: [{ name: 'nowhere' }] } })).findings
  expect(findings.map(({ severity, reason, path }) => [severity, reason, path])).toEqual([
    ['warning', 'UnknownParent', ['spec', 'parentRefs', 0, 'name']],
  ])
})

test('useDefaultGateways attaches to Gateways with defaultScope, as if they were named', () => {
  const route = httpRoute({ spec: { parentRefs: [], useDefaultGateways: 'All' } })
  const standard = gateway({ spec: { defaultScope: 'All' } })
  expect(reasons(route, standard, gateway({ metadata: { name: 'plain' } }))).toEqual(['Gateway gw: Accepted'])
})
