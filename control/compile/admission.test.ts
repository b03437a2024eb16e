import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import { Snapshot } from '../snapshot.ts'
import { maxMatches } from './admission.ts'
import { type Compiled, compile } from './compile.ts'
import {
  compiled,
  gateway,
  gatewayClass,
  grpcRoute,
  httpRoute,
  service,
  site,
  tcpRoute,
  tlsRoute,
  udpRoute,
} from './object-fixture.ts'

/** The reason of each route's first parent, or "Accepted", by the route's name. */
const verdicts = (...routes: readonly KubeObject[]): Record<string, string> =>
  Object.fromEntries(
    compiled(gatewayClass(), gateway(), ...routes).routes.map(({ route, parents }) => [
      route.metadata.name,
      parents[0]?.findings[0]?.reason ?? 'Accepted',
    ]),
  )

const meta = (name: string, day: number) => ({ name, creationTimestamp: `2026-01-0${day}T00:00:00Z` })
const http = (name: string, day: number, ...hostnames: string[]) =>
  httpRoute({ metadata: meta(name, day), spec: { hostnames } })
const grpc = (name: string, day: number, ...hostnames: string[]) =>
  grpcRoute({ metadata: meta(name, day), spec: { hostnames } })

test.for<[string, KubeObject[], Record<string, string>]>([
  [
    'the older of an HTTPRoute and a GRPCRoute has the hostname',
    [http('h', 1, 'a.com'), grpc('g', 2, 'a.com')],
    { h: 'Accepted', g: 'HostnameTaken' },
  ],
  ['either way', [http('h', 2, 'a.com'), grpc('g', 1, 'a.com')], { h: 'HostnameTaken', g: 'Accepted' }],
  [
    'of the same age, the first in alphabetical order',
    [http('b', 1, 'a.com'), grpc('a', 1, 'a.com')],
    { b: 'HostnameTaken', a: 'Accepted' },
  ],
  [
    'many do not go before few',
    [http('h', 3, 'a.com'), http('i', 3, 'b.com'), http('j', 3, 'c.com'), grpc('g', 4, 'b.com'), grpc('f', 2, 'c.com')],
    { h: 'Accepted', i: 'Accepted', j: 'HostnameTaken', g: 'HostnameTaken', f: 'Accepted' },
  ],
  ['other hostnames do not meet', [http('h', 1, 'a.com'), grpc('g', 2, 'b.com')], { h: 'Accepted', g: 'Accepted' }],
  [
    'a wildcard meets the names below it',
    [http('h', 1, '*.a.com'), grpc('g', 2, 'x.a.com')],
    { h: 'Accepted', g: 'HostnameTaken' },
  ],
  [
    'a name meets the wildcards above it',
    [http('h', 1, 'x.a.com'), grpc('g', 2, '*.a.com')],
    { h: 'Accepted', g: 'HostnameTaken' },
  ],
  ['wildcards meet', [http('h', 1, '*.x.a.com'), grpc('g', 2, '*.a.com')], { h: 'Accepted', g: 'HostnameTaken' }],
  ['a route without hostnames meets all', [http('h', 1), grpc('g', 2, 'a.com')], { h: 'Accepted', g: 'HostnameTaken' }],
  [
    'routes of one kind share hostnames',
    [http('h', 1, 'a.com'), http('i', 2, 'a.com'), grpc('g', 1, 'b.com')],
    { h: 'Accepted', i: 'Accepted', g: 'Accepted' },
  ],
  [
    'a route that was refused refuses no other',
    [http('a', 1, 'a.com'), grpc('b', 2, 'a.com', 'b.com'), http('c', 3, 'b.com')],
    { a: 'Accepted', b: 'HostnameTaken', c: 'Accepted' },
  ],
])('%s', ([, routes, expected]) => {
  expect(verdicts(...routes)).toEqual(expected)
})

test.for([1, 3])('of one age and name the HTTPRoute goes first, with %i other GRPCRoutes', (count) => {
  const others = Array.from({ length: count }, (_, index) => grpc(`g${index}`, 1, 'a.com'))
  const all = [...others, grpc('a', 1, 'a.com'), http('a', 1, 'a.com')]
  const { routes } = compiled(gatewayClass(), gateway(), ...all)
  const accepted = routes.filter(({ parents }) => parents[0]?.findings.length === 0)
  expect(accepted.map(({ route }) => route.kind)).toEqual(['HTTPRoute'])
})

test('a route keeps the listeners where no other kind has its hostname', () => {
  const two = gateway({ spec: { listeners: [80, 81].map((port) => ({ name: `p${port}`, port, protocol: 'HTTP' })) } })
  const first = httpRoute({ metadata: meta('h', 1), spec: { parentRefs: [{ name: 'gw', sectionName: 'p80' }] } })
  const { routes, gateways } = compiled(gatewayClass(), two, first, grpc('g', 2))
  expect(routes.map(({ parents }) => parents[0]?.findings)).toEqual([[], []])
  expect(gateways[0]?.attached).toEqual([
    { name: 'p80', count: 1 },
    { name: 'p81', count: 1 },
  ])
})

const streams = gateway({
  spec: {
    listeners: [
      { name: 'tls', port: 443, protocol: 'TLS', tls: { mode: 'Passthrough' } },
      { name: 'tcp', port: 5432, protocol: 'TCP' },
      { name: 'more', port: 5433, protocol: 'TCP' },
      { name: 'udp', port: 53, protocol: 'UDP' },
    ],
  },
})
const dns = service({
  spec: {
    ports: [
      { name: 't', port: 80 },
      { name: 'u', port: 80, protocol: 'UDP' },
    ],
  },
})

/** What each host of the table leads to, and how many routes each listener has. */
function served(...routes: readonly KubeObject[]) {
  const { tables, gateways, routes: states } = compiled(gatewayClass(), streams, dns, ...routes)
  expect(states.flatMap(({ parents }) => parents.flatMap(({ findings }) => findings))).toEqual([])
  return {
    hosts: tables[0]?.hosts.map(({ listener, hostname, matches, rules }) => {
      expect(matches).toEqual([{ rule: 0, path: undefined, method: '', headers: [], query: [] }])
      return `${listener} ${hostname} ${rules.map(({ route }) => route).join()}`
    }),
    attached: gateways[0]?.attached.map(({ name, count }) => `${name} ${count}`),
    hints: states.flatMap(({ findings }) => findings.map(({ object, reason }) => `${object.metadata.name} ${reason}`)),
  }
}
const tls = (name: string, day: number, ...hostnames: string[]) =>
  tlsRoute({ metadata: meta(name, day), spec: { hostnames } })
const at = (sectionName: string) => ({ spec: { parentRefs: [{ name: 'gw', sectionName }] } })

test('of several TCPRoutes on a listener the oldest gets the traffic, though all are attached', () => {
  const [old, young] = [tcpRoute({ metadata: meta('z', 1), ...at('tcp') }), tcpRoute({ metadata: meta('a', 2) })]
  expect(served(young, old)).toEqual({
    hosts: ['more  TCPRoute default/a', 'tcp  TCPRoute default/z'],
    attached: ['more 1', 'tcp 2'],
    hints: ['a NoTraffic'],
  })
})

test('so it is with UDPRoutes, and of equal age the first by name', () => {
  const [a, b] = ['a', 'b'].map((name) => udpRoute({ metadata: { name } }))
  expect(a && b && served(b, a)).toEqual({
    hosts: ['udp  UDPRoute default/a'],
    attached: ['udp 2'],
    hints: ['b NoTraffic'],
  })
})

test('of TLSRoutes the oldest of each hostname gets its traffic', () => {
  expect(served(tls('young', 2, 'a.com', 'b.com'), tls('old', 1, 'a.com'), tls('wide', 3, '*.com'))).toEqual({
    hosts: ['tls *.com TLSRoute default/wide', 'tls a.com TLSRoute default/old', 'tls b.com TLSRoute default/young'],
    attached: ['tls 3'],
    hints: ['young NoTraffic'],
  })
})

test('when the oldest goes, the next takes over', () => {
  const [old, young] = [tcpRoute({ metadata: meta('old', 1) }), tcpRoute({ metadata: meta('young', 2) })]
  const world = [gatewayClass(), streams, dns, young]
  const before = compile(Snapshot.of([...world, old]), site)
  const after = compile(Snapshot.of([...world, old]).next(world), site, before)
  const routesOf = ({ tables }: Compiled) => tables[0]?.hosts.map(({ rules }) => rules[0]?.route)
  expect(routesOf(before)).toEqual(['TCPRoute default/old', 'TCPRoute default/old'])
  expect(routesOf(after)).toEqual(['TCPRoute default/young', 'TCPRoute default/young'])
  expect(after.tables).toEqual(compile(Snapshot.of(world), site).tables)
})

test('the youngest routes are refused when the table would grow over its bound', () => {
  const listeners = Array.from({ length: 64 }, (_, index) => ({
    name: `l${index}`,
    port: 1000 + index,
    protocol: 'HTTP',
  }))
  const hostnames = Array.from({ length: 16 }, (_, index) => `h${index}.example.com`)
  const matches = Array.from({ length: 64 }, (_, index) => ({ path: { value: `/p${index}` } }))
  const size = listeners.length * hostnames.length * matches.length
  const fitting = Math.floor(maxMatches / size)
  const routes = Array.from({ length: fitting + 2 }, (_, index) =>
    httpRoute({ metadata: meta(`r${index}`, index + 1), spec: { hostnames, rules: [{ matches }] } }),
  )
  const { routes: states, tables, gateways } = compiled(gatewayClass(), gateway({ spec: { listeners } }), ...routes)
  const refused = states.filter(({ parents }) => parents[0]?.findings[0]?.reason === 'TableFull')
  expect(refused.map(({ route }) => route.metadata.name)).toEqual([`r${fitting}`, `r${fitting + 1}`])
  expect(tables[0]?.hosts.reduce((sum, { matches }) => sum + matches.length, 0)).toBe(fitting * size)
  expect(gateways[0]?.attached[0]?.count).toBe(fitting)
})
