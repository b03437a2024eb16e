import { expect, test } from 'vitest'
import type { EndpointSlice } from '../../kube/core/endpoint-slice.ts'
import { endpointsOf, sliceFindings } from './endpoints.ts'
import { endpointSlice, service } from './object-fixture.ts'

const at = (address: string, conditions: object = {}) => ({ addresses: [address], conditions })

/** Endpoints of the port "http", as "address port". */
function found(...slices: readonly EndpointSlice[]): readonly string[] {
  const [port] = service({ spec: { ports: [{ name: 'http', port: 80 }] } }).spec.ports
  return port === undefined ? [] : endpointsOf(port, slices).map(({ address, port }) => `${address} ${port}`)
}
const http = [{ name: 'http', port: 3000 }]

test.for<[string, object[], string[]]>([
  [
    'the port is found by name',
    [
      {
        ports: [
          { name: 'other', port: 1 },
          { name: 'http', port: 3000 },
        ],
        endpoints: [at('10.0.0.1')],
      },
    ],
    ['10.0.0.1 3000'],
  ],
  [
    'a slice without the port has no endpoints for it',
    [{ ports: [{ name: 'other', port: 1 }], endpoints: [at('10.0.0.1')] }],
    [],
  ],
  [
    'a port of another protocol is another port',
    [{ ports: [{ name: 'http', port: 3000, protocol: 'UDP' }], endpoints: [at('10.0.0.1')] }],
    [],
  ],
  [
    'slices add up',
    [
      { ports: http, endpoints: [at('10.0.0.1')] },
      { ports: [{ name: 'http', port: 4000 }], endpoints: [at('10.0.0.2')] },
    ],
    ['10.0.0.1 3000', '10.0.0.2 4000'],
  ],
  [
    'an endpoint that two slices list counts once',
    [
      { ports: http, endpoints: [at('10.0.0.1')] },
      { ports: http, endpoints: [at('10.0.0.1')] },
    ],
    ['10.0.0.1 3000'],
  ],
  [
    'an endpoint that is not ready is left out',
    [{ ports: http, endpoints: [at('10.0.0.1', { ready: false }), at('10.0.0.2', { ready: true })] }],
    ['10.0.0.2 3000'],
  ],
  [
    'readiness that is not known counts as ready',
    [{ ports: http, endpoints: [at('10.0.0.1', {})] }],
    ['10.0.0.1 3000'],
  ],
  [
    'endpoints that terminate and still serve are taken when none is ready',
    [
      {
        ports: http,
        endpoints: [
          at('10.0.0.1', { ready: false, serving: true, terminating: true }),
          at('10.0.0.2', { ready: false }),
        ],
      },
    ],
    ['10.0.0.1 3000'],
  ],
  [
    'endpoints that terminate are not taken beside one that is ready',
    [{ ports: http, endpoints: [at('10.0.0.1', { ready: false, serving: true, terminating: true }), at('10.0.0.2')] }],
    ['10.0.0.2 3000'],
  ],
  ['a slice may have no endpoints', [{ ports: http, endpoints: [] }], []],
  ['a slice of names has no addresses', [{ addressType: 'FQDN', ports: http, endpoints: [at('a.example.com')] }], []],
  [
    'only the first address of an endpoint counts',
    [{ ports: http, endpoints: [{ addresses: ['10.0.0.1', '10.0.0.2'] }] }],
    ['10.0.0.1 3000'],
  ],
  [
    'IPv6 is taken where there is no IPv4',
    [{ addressType: 'IPv6', ports: http, endpoints: [at('fd00::1')] }],
    ['fd00::1 3000'],
  ],
  [
    'a pod with both families counts once',
    [
      { addressType: 'IPv6', ports: http, endpoints: [at('fd00::1')] },
      { ports: http, endpoints: [at('10.0.0.1')] },
    ],
    ['10.0.0.1 3000'],
  ],
])('%s', ([, slices, expected]) => {
  expect(found(...slices.map((fields) => endpointSlice({ ...fields })))).toEqual(expected)
})

test("the port without a name is found in the slice's port without one", () => {
  const [port] = service().spec.ports
  expect(port && endpointsOf(port, [endpointSlice()])).toEqual([{ address: '10.0.0.1', port: 3000 }])
})

test.for<[string, string]>([
  ['IPv4', '169.254.169.254'],
  ['IPv6', 'fe80::1'],
  ['IPv6', 'febf::1'],
  ['IPv6', '::ffff:169.254.169.254'],
])('of %s the link-local address %s is left out, with a finding', ([addressType, address]) => {
  const other = addressType === 'IPv4' ? '10.0.0.1' : 'fec0::1'
  const slice = endpointSlice({ addressType, ports: http, endpoints: [at(address), at(other)] })
  expect(found(slice)).toEqual([`${other} 3000`])
  expect(sliceFindings(slice).map(({ message }) => message)).toEqual([
    `link-local addresses are left out: ${address}; write addresses that can be routed to`,
  ])
  expect(sliceFindings(slice)).toBe(sliceFindings(slice))
})

test('there is nothing to say of other addresses', () => {
  expect(sliceFindings(endpointSlice())).toEqual([])
})
