import { expect, test } from 'vitest'
import { type Host, Protocol } from '../proto/gen/route_table.ts'
import { host, listener, match, ref, routerOf, rule } from '../test/engine-tables.ts'
import { explainStream, type StreamExplanation, type StreamFacts } from './explain-stream.ts'
import { Streams } from './streams.ts'

const passthrough = { passthrough: true, certificates: [], clients: undefined }

const stream = (of: string, hostname: string, route: string, ...backends: readonly ReturnType<typeof ref>[]): Host =>
  host({ listener: of, hostname, matches: [match()], rules: [rule({ route, backends: [...backends] })] })

const streams = new Streams(
  routerOf({
    listeners: [
      listener({ id: 'https', port: 443, protocol: Protocol.HTTPS, hostname: 'shop.example.com' }),
      listener({ id: 'tls', port: 443, protocol: Protocol.TLS, hostname: '*.example.com', tls: passthrough }),
      listener({ id: 'tcp', port: 5432, protocol: Protocol.TCP }),
      listener({ id: 'udp', port: 5432, protocol: Protocol.UDP }),
    ],
    hosts: [
      stream(
        'tls',
        'db.example.com',
        'TLSRoute a/db',
        ref({ weight: 3 }),
        ref({ backend: '', invalid: 'BackendNotFound' }),
      ),
      stream('tls', '*.example.com', 'TLSRoute a/any', ref()),
      stream('tcp', '', 'TCPRoute a/tcp', ref()),
    ],
  }).table,
)

function explained(facts: StreamFacts): StreamExplanation {
  const explanation = explainStream(streams, facts, () => 0)
  if (explanation.type === 'missing') throw new Error('a shard is missing')
  return explanation
}

test('of a TLS connection, the listener and the route are told, the backends by share, and the wider hostname that lost', () => {
  expect(explained({ protocol: 'tls', port: 443, serverName: 'DB.example.com' })).toMatchObject({
    decision: { type: 'forward', matched: { route: 'TLSRoute a/db' } },
    listener: { id: 'tls' },
    otherListeners: [
      { listener: { id: 'https' }, why: "server name is 'db.example.com', wants 'shop.example.com'" },
      { listener: { id: 'tcp' }, why: 'protocol is tls, wants tcp' },
      { listener: { id: 'udp' }, why: 'protocol is tls, wants udp' },
    ],
    hostnames: ['db.example.com', '*.example.com'],
    winner: {
      route: 'TLSRoute a/db',
      wants: ["server name: 'db.example.com'"],
      backends: [{ share: 0.75 }, { share: 0.25, invalid: 'BackendNotFound' }],
    },
    others: [{ route: 'TLSRoute a/any', why: ['a more specific hostname comes before it'] }],
  })
})

test('a connection to an HTTPS listener is one of requests', () => {
  expect(explained({ protocol: 'tls', port: 443, serverName: 'shop.example.com' })).toMatchObject({
    decision: { type: 'requests' },
    listener: { id: 'https' },
    winner: undefined,
    others: [],
  })
})

test('a TCP connection has the only route of its port, and nothing is wanted of it', () => {
  expect(explained({ protocol: 'tcp', port: 5432, serverName: '' })).toMatchObject({
    decision: { type: 'forward' },
    listener: { id: 'tcp' },
    winner: { route: 'TCPRoute a/tcp', wants: [] },
    others: [],
  })
})

test.for<[string, StreamFacts, object]>([
  [
    'a listener without a route',
    { protocol: 'udp', port: 5432, serverName: '' },
    { decision: { type: 'refuse', why: 'no-route' }, listener: { id: 'udp' }, winner: undefined },
  ],
  [
    'a port without a listener',
    { protocol: 'tcp', port: 1, serverName: '' },
    { decision: { type: 'refuse', why: 'no-listener' }, listener: undefined },
  ],
  [
    'a server name that no listener takes',
    { protocol: 'tls', port: 443, serverName: '' },
    { decision: { type: 'refuse', why: 'no-listener' }, listener: undefined },
  ],
])('%s is told as what it is', ([, facts, expected]) => {
  expect(explained(facts)).toMatchObject(expected)
})
