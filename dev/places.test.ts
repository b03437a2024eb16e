import { expect, test } from 'vitest'
import { type Listener, Protocol } from '../proto/gen/route_table.ts'
import { listener } from '../test/engine-tables.ts'
import { placesOf } from './places.ts'

const table = (gateway: string, listeners: readonly Partial<Listener>[], addresses: string[] = []) => ({
  gateway,
  root: { addresses, listeners: listeners.map(listener) },
})

test('a Gateway has a place for each of its addresses and ports, and 127.0.0.1 where it asks for none', () => {
  const { places, faults } = placesOf(
    [
      table('a/a', [{ port: 80 }, { port: 443, protocol: Protocol.HTTPS }], ['127.0.0.2', '::1']),
      table('a/b', [{ port: 80 }]),
    ],
    undefined,
  )
  expect(places.map(({ address, port, kind }) => `${kind} ${address} ${port}`)).toEqual([
    ...['http 127.0.0.2 80', 'tls 127.0.0.2 443'],
    ...['http ::1 80', 'tls ::1 443'],
    'http 127.0.0.1 80',
  ])
  expect(faults).toEqual([])
})

test('Gateways share a place, and listeners say what is to be had there', () => {
  const { places } = placesOf(
    [
      table('a/a', [{ port: 443, protocol: Protocol.HTTPS }]),
      table('a/b', [
        { port: 443, protocol: Protocol.TLS },
        { port: 5432, protocol: Protocol.TCP },
      ]),
    ],
    undefined,
  )
  expect(places).toMatchObject([
    { kind: 'tls', port: 443, listenerPort: 443, gateways: ['a/a', 'a/b'], requests: true, connections: true },
    { kind: 'tcp', port: 5432, gateways: ['a/b'], requests: false, connections: true },
  ])
})

test('one port for all takes requests for the listeners of every port', () => {
  const tables = [table('a/a', [{ port: 80 }]), table('a/b', [{ port: 443, protocol: Protocol.HTTPS }])]
  expect(placesOf(tables, 8080).places).toMatchObject([
    { address: '127.0.0.1', port: 8080, kind: 'http', gateways: ['a/a', 'a/b'], listenerPort: undefined },
  ])
})

test('what another Gateway has by another protocol, and datagrams, are faults', () => {
  const tables = [
    table('a/a', [{ id: 'http', port: 80 }]),
    table('a/b', [
      { id: 'tcp', port: 80, protocol: Protocol.TCP },
      { id: 'dns', port: 53, protocol: Protocol.UDP },
    ]),
  ]
  expect(placesOf(tables, undefined)).toMatchObject({
    places: [{ gateways: ['a/a'] }],
    faults: [
      'Gateway a/b: listener tcp is not served at 127.0.0.1 port 80, which is for http and listener http of Gateway a/a, the first by name',
      'Gateway a/b: listener dns: datagrams are served by landfall serve only',
    ],
  })
})

test("a port of TCP is one Gateway's", () => {
  const tables = [
    table('a/a', [{ port: 5432, protocol: Protocol.TCP }]),
    table('a/b', [{ port: 5432, protocol: Protocol.TCP }]),
  ]
  const { places, faults } = placesOf(tables, undefined)
  expect(places).toMatchObject([{ gateways: ['a/a'] }])
  expect(faults).toHaveLength(1)
})
