import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type KubeObject, keyOf } from '../../kube/objects.ts'
import { Snapshot } from '../snapshot.ts'
import { statuses } from '../status/statuses.ts'
import { type Compiled, compile } from './compile.ts'
import * as make from './object-fixture.ts'

const { site } = make

/** All that a compile says; what it leaves to the next one is its own business. */
const told = ({ memo, ...rest }: Compiled) => rest

const space = fc.constantFrom('default', 'default', 'default', 'shop')
const hostname = fc.constantFrom('a.example.com', 'b.example.com', '*.example.com', '*.com', 'example.org')
const some = <T>(values: fc.Arbitrary<T>, max: number) => fc.array(values, { maxLength: max })
const created = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', undefined)
const metadata = (...names: string[]) =>
  fc
    .record({ name: fc.constantFrom(...names), namespace: space, creationTimestamp: created })
    .map(({ creationTimestamp, ...rest }) => ({
      ...rest,
      ...(creationTimestamp !== undefined && { creationTimestamp }),
    }))

const listeners = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('one', 'two', 'three'),
      port: fc.constantFrom(80, 443),
      protocol: fc.constantFrom('HTTP', 'HTTPS', 'TCP', 'TLS', 'UDP', 'example.com/own'),
      hostname: fc.option(hostname, { nil: undefined }),
      from: fc.constantFrom('Same', 'All', 'Selector'),
      cert: fc.constantFrom('cert', 'none'),
    }),
    { minLength: 1, maxLength: 3, selector: ({ name }) => name },
  )
  .map((list) => {
    const places = new Set<string>()
    return list.flatMap(({ name, port, protocol, hostname, from, cert }) => {
      const host = protocol === 'TCP' || protocol === 'UDP' ? undefined : hostname
      const place = `${port} ${protocol} ${host}`
      if (places.has(place)) return []
      places.add(place)
      return {
        name,
        port,
        protocol,
        ...(host !== undefined && { hostname: host }),
        ...((protocol === 'HTTPS' || protocol === 'TLS') && {
          tls: { mode: 'Terminate', certificateRefs: [{ name: cert }] },
        }),
        allowedRoutes: {
          namespaces: { from, ...(from === 'Selector' && { selector: { matchLabels: { team: 'a' } } }) },
        },
      }
    })
  })

const parentRefs = fc.uniqueArray(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({ kind: 'Gateway', name: 'gw', namespace: 'default', sectionName: 'one' }) },
    { weight: 3, arbitrary: fc.constant({ kind: 'Gateway', name: 'gw', namespace: 'default', sectionName: 'two' }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'Gateway', name: 'gw', namespace: 'default', sectionName: 'three' }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'ListenerSet', name: 'set', namespace: 'default' }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'Gateway', name: 'gw2', namespace: 'default' }) },
  ),
  { maxLength: 3, selector: (ref) => JSON.stringify(ref) },
)
const backendRef = fc.record({ name: fc.constantFrom('web', 'db'), namespace: space, port: fc.constantFrom(80, 81) })
const pathMatch = fc
  .record({
    type: fc.constantFrom('Exact', 'PathPrefix', 'RegularExpression'),
    value: fc.constantFrom('/', '/a', '/a/b', '/(x'),
  })
  .map((path) => (path.type !== 'RegularExpression' && path.value === '/(x' ? { ...path, value: '/x' } : path))
const httpRules = fc.array(
  fc.record({
    matches: fc.array(fc.record({ path: pathMatch }), { maxLength: 3 }),
    backendRefs: fc.array(backendRef, { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 3 },
)

const routes: fc.Arbitrary<KubeObject> = fc.oneof(
  fc
    .record({
      metadata: metadata('r1', 'r2', 'r3', 'r4'),
      parentRefs,
      hostnames: some(hostname, 2),
      rules: httpRules,
      scope: fc.constantFrom('All', 'None'),
    })
    .map(({ metadata, parentRefs, hostnames, rules, scope }) =>
      make.httpRoute({ metadata, spec: { parentRefs, hostnames, rules, useDefaultGateways: scope } }),
    ),
  fc
    .record({ metadata: metadata('r1', 'r2', 'r3', 'r4'), parentRefs, rules: httpRules })
    .map(({ metadata, parentRefs, rules }) => make.httpRoute({ metadata, spec: { parentRefs, rules } })),
  fc
    .record({ metadata: metadata('g1', 'g2'), parentRefs, hostnames: some(hostname, 2) })
    .map(({ metadata, parentRefs, hostnames }) => make.grpcRoute({ metadata, spec: { parentRefs, hostnames } })),
)

const others: fc.Arbitrary<KubeObject> = fc.oneof(
  fc
    .constantFrom('landfall.dev/gateway-controller', 'landfall.dev/edge-controller', 'example.com/other')
    .map((controllerName) => make.gatewayClass({ spec: { controllerName } })),
  fc
    .record({
      metadata: metadata('gw', 'gw2'),
      listeners,
      from: fc.constantFrom('None', 'All', 'Same'),
      scope: fc.constantFrom('All', 'None'),
    })
    .map(({ metadata, listeners, from, scope }) =>
      make.gateway({ metadata, spec: { listeners, allowedListeners: { namespaces: { from } }, defaultScope: scope } }),
    ),
  fc
    .record({ metadata: metadata('set', 'set2'), listeners, namespace: space })
    .map(({ metadata, listeners, namespace }) =>
      make.listenerSet({ metadata, spec: { parentRef: { name: 'gw', namespace }, listeners } }),
    ),
  fc
    .record({ metadata: metadata('t1'), parentRefs, hostname })
    .map(({ metadata, parentRefs, hostname }) =>
      make.tlsRoute({ metadata, spec: { parentRefs, hostnames: [hostname] } }),
    ),
  fc
    .record({ metadata: metadata('t1'), parentRefs })
    .map(({ metadata, parentRefs }) => make.tcpRoute({ metadata, spec: { parentRefs } })),
  fc
    .record({ metadata: metadata('u1'), parentRefs })
    .map(({ metadata, parentRefs }) => make.udpRoute({ metadata, spec: { parentRefs } })),
  fc
    .record({
      metadata: metadata('web', 'db'),
      port: fc.constantFrom(80, 81),
      appProtocol: fc.constantFrom('http', 'https', 'own'),
    })
    .map(({ metadata, port, appProtocol }) => make.service({ metadata, spec: { ports: [{ port, appProtocol }] } })),
  fc
    .record({ namespace: space, service: fc.constantFrom('web', 'db'), ready: fc.boolean() })
    .map(({ namespace, service, ready }) =>
      make.endpointSlice({
        metadata: { name: `${service}-1`, namespace, labels: { 'kubernetes.io/service-name': service } },
        endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready } }],
      }),
    ),
  fc.constantFrom('HTTPRoute', 'GRPCRoute', 'Gateway').map((kind) =>
    make.referenceGrant({
      metadata: { namespace: 'shop' },
      spec: { from: [{ group: 'gateway.networking.k8s.io', kind, namespace: 'default' }] },
    }),
  ),
  fc
    .record({ metadata: metadata('tls', 'tls2'), service: fc.constantFrom('web', 'db') })
    .map(({ metadata, service }) =>
      make.policy({ metadata, spec: { targetRefs: [{ group: '', kind: 'Service', name: service }] } }),
    ),
  fc
    .record({ metadata: metadata('ca'), data: fc.constantFrom({}, { 'ca.crt': 'no' }) })
    .map((fields) => make.configMap(fields)),
  metadata('cert').map((metadata) => make.secret({ metadata })),
  fc
    .record({ name: space, team: fc.constantFrom('a', 'b') })
    .map(({ name, team }) => make.namespace({ metadata: { name, labels: { team } } })),
)

const object = fc.oneof({ weight: 2, arbitrary: routes }, { weight: 1, arbitrary: others })

const slice = make.endpointSlice()

/** So that most routes are served. */
const base: readonly KubeObject[] = [
  make.gatewayClass(),
  make.gateway({
    spec: {
      listeners: [
        { name: 'one', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
        { name: 'two', port: 81, protocol: 'HTTP' },
        {
          name: 'three',
          port: 82,
          protocol: 'HTTP',
          allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'a' } } } },
        },
      ],
    },
  }),
  make.service(),
  make.service({ metadata: { name: 'db' } }),
  make.service({ metadata: { namespace: 'shop' } }),
  slice,
]

test('a compile with a previous one equals a compile from nothing, over any sequence of edits', () => {
  const edits = fc.array(fc.record({ object, goes: fc.integer({ min: 0, max: 4 }).map((n) => n === 0) }), {
    minLength: 1,
    maxLength: 6,
  })
  fc.assert(
    fc.property(
      fc.array(object, { maxLength: 25 }),
      fc.array(edits, { minLength: 1, maxLength: 6 }),
      (start, steps) => {
        const objects = new Map([...base, ...start].map((object) => [keyOf(object), object]))
        let snapshot = Snapshot.of([...objects.values()])
        let last = compile(snapshot, site)
        for (const step of steps) {
          for (const { object, goes } of step) {
            if (goes) objects.delete(keyOf(object))
            else objects.set(keyOf(object), object)
          }
          snapshot = snapshot.next([...objects.values()])
          last = compile(snapshot, site, last)
          const cold = compile(Snapshot.of([...objects.values()].toReversed()), site)
          expect(told(last)).toEqual(told(cold))
          expect(statuses(last, '')).toEqual(statuses(cold, ''))
        }
      },
    ),
    { numRuns: 150 },
  )
})

/** Freezes a value and all that is in it. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) frozen(part)
  }
  return value
}

test('a compile touches neither the objects nor what an earlier one gave', () => {
  const objects = [...base, make.httpRoute(), make.grpcRoute(), make.policy(), make.authority()].map(frozen)
  const first = compile(Snapshot.of(objects), site)
  const before = structuredClone(told(first).tables)
  compile(Snapshot.of([...objects.slice(1), make.httpRoute({ metadata: { name: 'more' } })]), site, first)
  expect(first.tables).toEqual(before)
})

const named = (name: string, value: string, backend = 'web') =>
  make.httpRoute({
    metadata: { name },
    spec: {
      parentRefs: [{ name: 'gw', sectionName: 'one' }],
      hostnames: [`${name}.example.com`],
      rules: [{ matches: [{ path: { value } }], backendRefs: [{ name: backend, port: 80 }] }],
    },
  })

test('the same objects give the very same table', () => {
  const objects = [...base, named('a', '/'), named('b', '/')]
  const snapshot = Snapshot.of(objects)
  const first = compile(snapshot, site)
  expect(compile(snapshot.next(objects.toReversed()), site, first).tables[0]).toBe(first.tables[0])
})

test('a changed route changes its own host, and leaves the others and the backends the same objects', () => {
  const [a, b] = [named('a', '/'), named('b', '/')]
  const snapshot = Snapshot.of([...base, a, b])
  const first = compile(snapshot, site)
  const again = compile(snapshot.next([...base, named('a', '/x'), b]), site, first)
  const [before, after] = [first.tables[0], again.tables[0]]
  expect(after?.hosts[0]?.matches[0]?.path?.value).toBe('/x')
  expect(after?.hosts[1]).toBe(before?.hosts[1])
  expect(after?.backends).toBe(before?.backends)
})

test('a changed EndpointSlice changes one backend, and no host', () => {
  const other = make.endpointSlice({ metadata: { name: 'db-1', labels: { 'kubernetes.io/service-name': 'db' } } })
  const objects = [...base, other, named('a', '/'), named('b', '/', 'db')]
  const snapshot = Snapshot.of(objects)
  const first = compile(snapshot, site)
  const moved = make.endpointSlice({ endpoints: [{ addresses: ['10.0.0.2'] }] })
  const again = compile(snapshot.next(objects.map((object) => (object === slice ? moved : object))), site, first)
  const [before, after] = [first.tables[0], again.tables[0]]
  expect(after?.hosts).toBe(before?.hosts)
  expect(after?.backends.map(({ endpoints }) => endpoints[0]?.address)).toEqual(['10.0.0.1', '10.0.0.2'])
  expect(after?.backends[0]).toBe(before?.backends[0])
})

test('a change of a Gateway that its routes cannot see leaves the hosts the same objects', () => {
  const [own, ...others] = [...base, named('a', '/')].toSorted(
    (a, b) => Number(b.kind === 'Gateway') - Number(a.kind === 'Gateway'),
  )
  if (own?.kind !== 'Gateway') throw new Error('base has no Gateway')
  const snapshot = Snapshot.of([own, ...others])
  const first = compile(snapshot, site)
  const changed = {
    ...own,
    spec: {
      ...own.spec,
      listeners: own.spec.listeners.map((listener) => ({ ...listener, port: listener.port + 1000 })),
    },
  }
  const again = compile(snapshot.next([changed, ...others]), site, first)
  expect(again.tables[0]?.listeners[0]?.port).toBe(1080)
  expect(again.tables[0]?.hosts).toBe(first.tables[0]?.hosts)
})

test('hosts that one route has to itself share its matches and rules', () => {
  const route = make.httpRoute({ spec: { hostnames: ['a.example.com', 'b.example.com'] } })
  const [one, two] = compile(Snapshot.of([...base, route]), site).tables[0]?.hosts ?? []
  expect(one?.hostname).not.toBe(two?.hostname)
  expect(one?.matches).toBe(two?.matches)
  expect(one?.rules).toBe(two?.rules)
})
