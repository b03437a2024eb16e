import { expect, test } from 'vitest'
import { Protocol } from '../proto/gen/route_table.ts'
import { listener } from '../test/engine-tables.ts'
import { Listeners } from './listeners.ts'

const listeners = new Listeners([
  listener({ id: 'alternative', port: 8080 }),
  listener({ id: 'any' }),
  listener({ id: 'wildcard', hostname: '*.example.com' }),
  listener({ id: 'deeper wildcard', hostname: '*.foo.example.com' }),
  listener({ id: 'exact', hostname: 'abc.foo.example.com' }),
  listener({ id: 'secure', port: 443, protocol: Protocol.HTTPS, hostname: '*.example.com' }),
  listener({ id: 'passthrough', port: 443, protocol: Protocol.TLS }),
])

test.for<[string, 'http' | 'https', number | undefined, string, string | undefined]>([
  ['an exact hostname is the most specific', 'http', 80, 'abc.foo.example.com', 'exact'],
  ['then the longest wildcard', 'http', 80, 'x.foo.example.com', 'deeper wildcard'],
  ['a wildcard takes several labels', 'http', 80, 'x.y.bar.example.com', 'wildcard'],
  ['then the listener for every hostname', 'http', 80, 'example.com', 'any'],
  ['the port decides before the hostname', 'http', 8080, 'abc.foo.example.com', 'alternative'],
  ['a port without a listener takes nothing', 'http', 81, 'example.com', undefined],
  ['an unknown port is any port, the one of the scheme first', 'http', undefined, 'example.com', 'any'],
  ['HTTPS goes to HTTPS listeners', 'https', 443, 'a.example.com', 'secure'],
  ['and to no others: not to HTTP, not to TLS', 'https', 443, 'example.com', undefined],
])('%s', ([, scheme, port, hostname, id]) => {
  expect(listeners.choose(scheme, port, hostname)?.id).toBe(id)
})
