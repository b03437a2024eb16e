import { expect, test } from 'vitest'
import { type Listener, Protocol } from '../proto/gen/route_table.ts'
import { arrange } from './arrangement.ts'

const listener = (id: string, port: number, protocol: Protocol): Listener => ({
  id,
  port,
  protocol,
  hostname: '',
  tls: undefined,
})

const table = (gateway: string, addresses: readonly string[], ...listeners: readonly Listener[]) => ({
  gateway,
  root: { addresses: [...addresses], listeners: [...listeners] },
})

const address = '192.0.2.1'

const holders = (arrangement: ReturnType<typeof arrange>): Record<string, readonly string[]> =>
  Object.fromEntries([...arrangement.berths].map(([key, { gateways }]) => [key, [...gateways]]))

test.for([
  ['TCP', '', 'tcp'],
  ['UDP', '/udp', 'udp'],
] as const)(
  'a port of %s is the first Gateway’s by name, and the other one is told of both',
  ([protocol, mark, kind]) => {
    const first = table('a/first', [address], listener('one', 5000, Protocol[protocol]))
    const second = table('b/second', [address], listener('two', 5000, Protocol[protocol]))
    for (const tables of [
      [first, second],
      [second, first],
    ]) {
      const arrangement = arrange(tables, [])
      expect(holders(arrangement)).toEqual({ [`${address} 5000${mark}`]: ['a/first'] })
      expect(arrangement.faults).toEqual([
        `Gateway b/second: listener two is not served at 192.0.2.1 port 5000, which is for ${kind} and listener one of Gateway a/first, the first by name`,
      ])
    }
  },
)

test('Gateways share a port for HTTP, and one for HTTPS and TLS', () => {
  const tables = [
    table('a/a', [address], listener('http', 80, Protocol.HTTP), listener('https', 443, Protocol.HTTPS)),
    table('b/b', [address], listener('http', 80, Protocol.HTTP), listener('tls', 443, Protocol.TLS)),
  ]
  const arrangement = arrange(tables, [])
  expect(holders(arrangement)).toEqual({ '192.0.2.1 80': ['a/a', 'b/b'], '192.0.2.1 443': ['a/a', 'b/b'] })
  expect(arrangement.faults).toEqual([])
})

test('a port is for one kind of connections, that of the first Gateway by name', () => {
  const tables = [
    table('b/b', [address], listener('tcp', 80, Protocol.TCP)),
    table('a/a', [address], listener('http', 80, Protocol.HTTP)),
  ]
  const arrangement = arrange(tables, [])
  expect(holders(arrangement)).toEqual({ '192.0.2.1 80': ['a/a'] })
  expect(arrangement.faults).toEqual([expect.stringContaining('for http and listener http of Gateway a/a')])
})

test('a port of UDP and one of TCP never meet, nor do two addresses', () => {
  const tables = [
    table('a/a', [], listener('tcp', 53, Protocol.TCP), listener('udp', 53, Protocol.UDP)),
    table('b/b', [address, address], listener('tcp', 53, Protocol.TCP)),
  ]
  const arrangement = arrange(tables, ['::1'])
  expect(holders(arrangement)).toEqual({ '::1 53': ['a/a'], '::1 53/udp': ['a/a'], '192.0.2.1 53': ['b/b'] })
  expect(arrangement.faults).toEqual([])
})
