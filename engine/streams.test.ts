import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Host, type Listener, Protocol, type Tls } from '../proto/gen/route_table.ts'
import {
  backend,
  encodeTable,
  host,
  listener,
  match,
  ref,
  routerOf,
  rule,
  type TableParts,
} from '../test/engine-tables.ts'
import { covers } from './hosts.ts'
import { choosePlain, chooseTls, isMisdirected, type StreamDecision, Streams } from './streams.ts'
import { readRoot } from './table.ts'

const passthrough: Tls = { passthrough: true, certificates: [], clients: undefined }
const terminate: Tls = { passthrough: false, certificates: ['a/cert'], clients: undefined }
const tls = (id: string, hostname = '', changes: Partial<Listener> = {}): Listener =>
  listener({ id, port: 443, protocol: Protocol.TLS, hostname, tls: passthrough, ...changes })
const https = (id: string, hostname = '', changes: Partial<Listener> = {}): Listener =>
  tls(id, hostname, { protocol: Protocol.HTTPS, tls: terminate, ...changes })
const tcp = listener({ id: 'tcp', port: 5432, protocol: Protocol.TCP })

/** A Host as TLS, TCP and UDP listeners have it. */
const stream = (listener: string, hostname = '', ...backends: readonly ReturnType<typeof ref>[]): Host =>
  host({
    listener,
    hostname,
    matches: [match()],
    rules: [rule({ route: 'TCPRoute a/b', backends: backends.length === 0 ? [ref()] : backends })],
  })

const streamsOf = (parts: TableParts): Streams => new Streams(routerOf(parts).table)
const never = (): number => {
  throw new Error('nothing is to be drawn')
}

/** Where a stream goes, or why it goes nowhere. */
function reached(decision: StreamDecision): string {
  switch (decision.type) {
    case 'forward':
      return decision.backend.key
    case 'refuse':
      return decision.why
    case 'missing':
      return 'missing'
  }
}

const listeners = [
  https('any'),
  https('wildcard', '*.example.com'),
  tls('deeper wildcard', '*.foo.example.com'),
  tls('exact', 'abc.foo.example.com'),
  tls('other port', 'abc.foo.example.com', { port: 8443 }),
  listener({ id: 'plain', port: 443, protocol: Protocol.UDP }),
]

test.for<[string, number, string, string | undefined]>([
  ['an exact hostname is the most specific', 443, 'abc.foo.example.com', 'exact'],
  ['then the longest wildcard, whether its listener ends TLS or not', 443, 'x.foo.example.com', 'deeper wildcard'],
  ['and shorter ones', 443, 'foo.example.com', 'wildcard'],
  ['then the listener for every hostname', 443, 'example.com', 'any'],
  ['which a client without a server name gets, too', 443, '', 'any'],
  ['case and the dot of the root are no matter', 443, 'ABC.foo.example.com.', 'exact'],
  ['the port decides first', 8443, 'abc.foo.example.com', 'other port'],
  ['a port may have no listener for the name', 8443, 'example.com', undefined],
  ['or none at all', 80, 'abc.foo.example.com', undefined],
])('of the listeners of TLS %s', ([, port, serverName, id]) => {
  expect(streamsOf({ listeners }).tlsListener(port, serverName)?.id).toBe(id)
})

test('TCP and UDP do not meet on a port', () => {
  const udp = listener({ id: 'udp', port: 5432, protocol: Protocol.UDP })
  const streams = streamsOf({ listeners: [udp, tcp] })
  expect(streams.plainListener(Protocol.TCP, 5432)?.id).toBe('tcp')
  expect(streams.plainListener(Protocol.UDP, 5432)?.id).toBe('udp')
  expect(streams.plainListener(Protocol.UDP, 53)).toBeUndefined()
})

test('of several Gateways, the first with a listener of TCP on the port takes a connection', () => {
  const all = [streamsOf({ gateway: 'a/none' }), streamsOf({ gateway: 'a/one', listeners: [tcp] })]
  expect(choosePlain(all, Protocol.TCP, 5432)?.streams.gateway).toBe('a/one')
  expect(choosePlain(all, Protocol.UDP, 5432)).toBeUndefined()
})

test.for<[string, string, string]>([
  ['the exact hostname goes first', 'a.b.com', 'a/exact:80'],
  ['then the longest wildcard', 'x.b.com', 'a/wildcard:80'],
  ['no other', 'b.com', 'no-route'],
  ['and no route of another listener', 'a.org', 'no-route'],
  ['a client without a server name has no hostname', '', 'no-route'],
])('of the routes of a TLS listener %s', ([, serverName, expected]) => {
  const own = tls('own')
  const streams = streamsOf({
    listeners: [own, tls('other', '*.org')],
    hosts: [
      stream('own', 'a.b.com', ref({ backend: 'a/exact:80' })),
      stream('own', '*.b.com', ref({ backend: 'a/wildcard:80' })),
      stream('other', '*.org'),
    ],
    backends: ['a/exact:80', 'a/wildcard:80', 'a/web:80'].map((key) => backend({ key })),
  })
  expect(reached(streams.decide(own, serverName, never))).toBe(expected)
})

const half = { backend: 'a/half:80', weight: 1 }

test.for<[string, readonly ReturnType<typeof ref>[], number, string]>([
  ['the first share of the draw', [ref(), ref(half)], 0.49, 'a/web:80'],
  ['and the rest', [ref(), ref(half)], 0.5, 'a/half:80'],
  [
    'a reference that does not resolve has its share',
    [ref(), ref({ backend: '', invalid: 'x' })],
    0.5,
    'invalid-backend',
  ],
  ['a weight of zero has none', [ref({ weight: 0 }), ref(half)], 0, 'a/half:80'],
  ['all weights may be zero', [ref({ weight: 0 })], 0, 'no-backends'],
  ['a Backend may have no endpoints', [ref({ backend: 'a/empty:80' })], 0, 'no-endpoints'],
])('a connection meets backends by weight: %s', ([, refs, drawn, expected]) => {
  const streams = streamsOf({
    listeners: [tcp],
    hosts: [stream('tcp', '', ...refs)],
    backends: [backend(), backend({ key: 'a/half:80' }), backend({ key: 'a/empty:80', endpoints: [] })],
  })
  const decision = streams.decide(tcp, '', () => drawn)
  expect(reached(decision)).toBe(expected)
  expect(decision).toMatchObject({ matched: { route: 'TCPRoute a/b', listener: 'tcp', rule: 0 } })
})

test.for<[string, readonly ReturnType<typeof ref>[], boolean]>([
  ['it may still go there', [ref(half), ref()], true],
  ['its route leads elsewhere by now', [ref(half)], false],
  ['its backend has no weight any more', [ref({ weight: 0 }), ref(half)], false],
  ['its reference does not resolve any more', [ref({ invalid: 'RefNotPermitted' })], false],
])('what went to a backend is told whether %s', ([, refs, stays]) => {
  const streams = streamsOf({
    listeners: [tcp],
    hosts: [stream('tcp', '', ...refs)],
    backends: [backend(), backend({ key: 'a/half:80' })],
  })
  expect(streams.destination(tcp, '', 'a/web:80')?.key).toBe(stays ? 'a/web:80' : undefined)
  expect(streams.destination(listener({ id: 'gone' }), '', 'a/web:80')).toBeUndefined()
})

test.for<[string, Listener, boolean]>([
  ['what ended at the listener is encrypted anew', tls('ends', '', { tls: terminate }), true],
  ['so is what was never encrypted', tcp, true],
  ['what passes through is let be', tls('passes'), false],
])('to a backend of TLS %s', ([, own, isEncrypted]) => {
  const secure = { hostname: 'web.example.com', authorities: '', subjectAltNames: [] }
  const streams = streamsOf({ listeners: [own], hosts: [stream(own.id)], backends: [backend({ tls: secure })] })
  const decision = streams.decide(own, '', never)
  expect(decision).toMatchObject({ type: 'forward' })
  expect(decision.type === 'forward' && decision.tls).toEqual(isEncrypted ? secure : undefined)
})

test('shards that are not loaded are asked for, before anything is drawn', () => {
  const hosts = [stream('tcp', '', ref(), ref(half))]
  const { root, shards } = encodeTable({
    listeners: [tcp],
    hosts,
    backends: [backend(), backend({ key: half.backend })],
  })
  const router = readRoot(root)
  const streams = new Streams(router.table)
  const loads: string[][] = []
  for (let decision = streams.decide(tcp, '', () => 0.9); ; decision = streams.decide(tcp, '', () => 0.9)) {
    if (decision.type !== 'missing') {
      expect(reached(decision)).toBe('a/half:80')
      break
    }
    loads.push([...decision.shards])
    for (const name of decision.shards) router.addShard(name, shards.get(name) ?? new Uint8Array())
  }
  expect(loads.flat().sort()).toEqual([...shards.keys()].sort())
})

test('of several Gateways the most specific hostname decides, then the name', () => {
  const of = (gateway: string, hostname: string) => streamsOf({ gateway, listeners: [tls('tls', hostname)] })
  const all = [of('b/b', '*.example.com'), of('c/c', 'a.example.com'), of('a/a', '*.example.com')]
  for (const order of [all, all.toReversed()]) {
    expect(chooseTls(order, 443, 'a.example.com')?.streams.gateway).toBe('c/c')
    expect(chooseTls(order, 443, 'b.example.com')?.streams.gateway).toBe('a/a')
    expect(chooseTls(order, 443, 'example.com')).toBeUndefined()
  }
})

test.for<[string, string, string, boolean]>([
  ['of its own listener is served', 'example.org', 'example.org', false],
  ['of a listener with that very hostname is misdirected', 'example.org', 'second.org', true],
  ['of the listener for every hostname is misdirected elsewhere', 'second.org', 'example.org', true],
  ['that nobody knows belongs to the listener for every hostname', 'unknown.org', 'example.org', false],
  ['below the same wildcard is served', 'a.wildcard.org', 'b.wildcard.org', false],
  ['below a wildcard, but with a listener of its own, is misdirected', 'a.wildcard.org', 'own.wildcard.org', true],
  ['of a listener that passes TLS through is misdirected', 'a.wildcard.org', 'through.wildcard.org:443', true],
])('a request for an authority %s', ([, serverName, authority, expected]) => {
  const all = [
    streamsOf({ listeners: [https('any'), https('second', 'second.org'), https('wildcard', '*.wildcard.org')] }),
    streamsOf({
      gateway: 'other/gateway',
      listeners: [https('own', 'own.wildcard.org'), tls('through', 'through.wildcard.org')],
    }),
  ]
  expect(isMisdirected(all, 443, serverName, authority)).toBe(expected)
})

test('a request for an authority that no listener takes is not misdirected: it is not found', () => {
  expect(isMisdirected([streamsOf({ listeners: [https('a', 'a.org')] })], 443, 'a.org', 'b.org')).toBe(false)
})

const hostname = fc.constantFrom('a.com', 'b.a.com', 'c.b.a.com', '*.com', '*.a.com', '*.b.a.com', '')
const serverName = fc.constantFrom('a.com', 'b.a.com', 'c.b.a.com', 'd.c.b.a.com', 'x.com', 'org', '')

test('the table gives a connection what the API says, sentence by sentence', () => {
  const parts = fc.record({
    names: fc.uniqueArray(hostname, { maxLength: 5 }),
    routes: fc.uniqueArray(fc.tuple(fc.nat(4), hostname), { maxLength: 9, selector: String }),
  })
  /** The most specific of those that take the name. */
  const best = <T>(all: readonly T[], nameOf: (one: T) => string, name: string): T | undefined =>
    all
      .filter((one) => covers(nameOf(one), name))
      .sort((a, b) => (nameOf(a) === name ? -1 : nameOf(b) === name ? 1 : nameOf(b).length - nameOf(a).length))[0]
  fc.assert(
    fc.property(parts, serverName, ({ names, routes }, name) => {
      const listeners = names.map((each, index) => tls(`l${index}`, each))
      // A Host is never less specific than its listener.
      const hosts = routes.flatMap(([index, each]) => {
        const own = listeners[index]
        return own !== undefined && (own.hostname === each || (each !== '' && covers(own.hostname, each)))
          ? [stream(own.id, each)]
          : []
      })
      const streams = streamsOf({ listeners, hosts })
      const listener = best(listeners, (each) => each.hostname, name)
      expect(streams.tlsListener(443, name)?.id).toBe(listener?.id)
      if (listener === undefined) return
      const expected = best(
        hosts.filter((each) => each.listener === listener.id),
        (each) => each.hostname,
        name,
      )
      const decision = streams.decide(listener, name, never)
      expect(decision.type === 'missing' ? 'missing' : decision.matched?.hostname).toBe(expected?.hostname)
    }),
    { numRuns: 500 },
  )
})
