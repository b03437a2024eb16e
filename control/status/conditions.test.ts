import { expect, test } from 'vitest'
import { compiled, gateway, gatewayClass, httpRoute, listenerSet, service } from '../compile/object-fixture.ts'
import { statuses } from './statuses.ts'

const now = '2026-11-23T00:00:00Z'

test('every condition carries the time that was passed in and the generation of its object', () => {
  const objects = [
    gatewayClass({ metadata: { generation: 2 } }),
    gateway({ metadata: { generation: 3 }, spec: { allowedListeners: { namespaces: { from: 'All' } } } }),
    listenerSet({ metadata: { generation: 4 } }),
    httpRoute({ metadata: { generation: 5 } }),
  ]
  const seen = statuses(compiled(...objects), now).flatMap(({ object, status }) => {
    const all = [
      status.conditions,
      ...[status.listeners, status.parents].flatMap((list = []) => list.map(({ conditions }) => conditions)),
    ]
    return all.flatMap((conditions = []) =>
      conditions.map(
        ({ observedGeneration, lastTransitionTime }) => `${object.kind} ${observedGeneration} ${lastTransitionTime}`,
      ),
    )
  })
  expect([...new Set(seen)].sort()).toEqual([
    `Gateway 3 ${now}`,
    `GatewayClass 2 ${now}`,
    `HTTPRoute 5 ${now}`,
    `ListenerSet 4 ${now}`,
  ])
})

test('an object of a plain file counts as generation 1', () => {
  const [ours] = statuses(compiled(gatewayClass()), now)
  expect(ours?.status.conditions?.[0]?.observedGeneration).toBe(1)
})

test('a condition gives the reason of the first finding, and the field and words of all', () => {
  const rules = [
    {
      backendRefs: [
        { name: 'nowhere', port: 80 },
        { group: 'example.com', kind: 'Bucket', name: 'x' },
      ],
    },
  ]
  const all = statuses(compiled(gatewayClass(), gateway(), httpRoute({ spec: { rules } })), now)
  const resolved = all.at(-1)?.status.parents?.[0]?.conditions.find(({ type }) => type === 'ResolvedRefs')
  expect(resolved?.reason).toBe('BackendNotFound')
  expect(resolved?.message).toBe(
    'spec.rules[0].backendRefs[0].name: there is no Service default/nowhere; create it, or correct the name or namespace; ' +
      'spec.rules[0].backendRefs[1].kind: a Bucket of group example.com cannot be a backend; name a Service, with group ""',
  )
})

test('a condition does not grow with the number of findings', () => {
  const backendRefs = Array.from({ length: 16 }, (_, index) => ({ name: `nowhere${index}`, port: 80 }))
  const all = statuses(compiled(gatewayClass(), gateway(), httpRoute({ spec: { rules: [{ backendRefs }] } })), now)
  const resolved = all.at(-1)?.status.parents?.[0]?.conditions.find(({ type }) => type === 'ResolvedRefs')
  expect(resolved?.message).toMatch(/; and 8 more$/)
})

test('ResolvedRefs is set on a route that is not accepted', () => {
  const route = httpRoute({ spec: { parentRefs: [{ name: 'gw', sectionName: 'no' }] } })
  const all = statuses(compiled(gatewayClass(), gateway(), service(), route), now)
  expect(all.at(-1)?.status.parents?.[0]?.conditions.map(({ type, status }) => `${type} ${status}`)).toEqual([
    'Accepted False',
    'ResolvedRefs True',
  ])
})

test('a parent is named as the route names it', () => {
  const parentRefs = [{ name: 'gw', sectionName: 'http', port: 80 }]
  const all = statuses(compiled(gatewayClass(), gateway(), httpRoute({ spec: { parentRefs } })), now)
  expect(all.at(-1)?.status.parents?.[0]).toMatchObject({
    parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw', sectionName: 'http', port: 80 },
    controllerName: 'landfall.dev/gateway-controller',
  })
})

test('supportedFeatures are sorted, without those that Cloudflare has no place for', () => {
  const named = (controllerName: string) =>
    statuses(compiled(gatewayClass({ spec: { controllerName } })), now)[0]?.status.supportedFeatures?.map(
      ({ name }) => name,
    ) ?? []
  const standalone = named('landfall.dev/gateway-controller')
  const edge = named('landfall.dev/edge-controller')
  expect(standalone).toEqual(standalone.toSorted())
  expect(standalone.length).toBeLessThanOrEqual(64)
  expect(standalone.filter((name) => !edge.includes(name))).toEqual(
    expect.arrayContaining(['TCPRoute', 'UDPRoute', 'TLSRoute', 'GatewayFrontendClientCertificateValidation']),
  )
  expect(edge).toContain('HTTPRouteRequestMirror')
})
