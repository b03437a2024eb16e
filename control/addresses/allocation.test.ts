import { expect, test } from 'vitest'
import {
  allocationOf,
  cidrPool,
  gateway,
  gatewayClass,
  holdings,
  pool,
  record,
  refusals,
  service,
} from './address-fixture.ts'

const ips = 'lbipam.cilium.io/ips'
const key = 'lbipam.cilium.io/sharing-key'
const across = 'lbipam.cilium.io/sharing-cross-namespace'

/** Addresses of Service shop/web beside others. */
const web = (...manifests: readonly string[]): readonly string[] =>
  holdings(allocationOf(...manifests))['shop/web'] ?? []

test.for<[string, string, string, string]>([
  ['a network', 'cidr: 192.0.2.4/31', '2', '192.0.2.4, 192.0.2.5'],
  ['a range', 'start: 192.0.2.8, stop: 192.0.2.9', '2', '192.0.2.8, 192.0.2.9'],
  ['one address', 'start: 192.0.2.7', '1', '192.0.2.7'],
])('a pool gives all addresses of %s', ([, block, total, expected]) => {
  const allocation = allocationOf(pool('blue', `blocks: [{ ${block} }]`), service('a'), service('b'))
  expect(Object.values(holdings(allocation)).flat().sort().join(', ')).toBe(expected)
  expect(allocation.pools.map((use) => `${use.total}`)).toEqual([total])
})

test.for<[string, string, bigint]>([
  ['of a network', 'cidr: 192.0.2.0/29', 6n],
  ['not of a network of two', 'cidr: 192.0.2.0/31', 2n],
  ['not of a network of one', 'cidr: "2001:db8::1/128"', 1n],
  ['not of a range', 'start: 192.0.2.0, stop: 192.0.2.7', 8n],
])('the first and the last address %s are left out where they are not allowed', ([, block, total]) => {
  const { pools } = allocationOf(pool('blue', `blocks: [{ ${block} }], allowFirstLastIPs: "No"`))
  expect(pools[0]?.total).toBe(total)
})

test('a pool gives to those that its selector selects, by labels, name and namespace', () => {
  const selecting = (selector: string) =>
    cidrPool('blue', '192.0.2.0/24', `, serviceSelector: { matchLabels: { ${selector} } }`)
  const labelled = service('web', { labels: 'tier: front' })
  expect(web(selecting('tier: front'), labelled)).toHaveLength(1)
  expect(web(selecting('tier: back'), labelled)).toEqual([])
  expect(web(selecting('io.kubernetes.service.name: web'), labelled)).toHaveLength(1)
  expect(web(selecting('io.kubernetes.service.namespace: other'), labelled)).toEqual([])
})

test.for<[string, string | undefined, boolean]>([
  ['no class', undefined, true],
  ['a class of Landfall', 'landfall.dev/l2', true],
  ['a class of Cilium', 'io.cilium/bgp-control-plane', true],
  ['the class of somebody else', 'example.com/own', false],
])('a Service with %s', ([, name, isOurs]) => {
  const spec = name === undefined ? undefined : `loadBalancerClass: ${name}`
  const { outcomes } = allocationOf(cidrPool('blue', '192.0.2.0/24'), service('web', { ...(spec && { spec }) }))
  expect(outcomes.has('Service shop/web')).toBe(isOurs)
})

test('the pool with the higher priority gives first, and the next when that one has nothing left', () => {
  const pools = [
    cidrPool('low', '192.0.2.0/24', ', priority: -1'),
    cidrPool('high', '198.51.100.0/31', ', priority: 1'),
  ]
  const allocation = allocationOf(...pools, service('a'), service('b'), service('c'))
  expect(allocation.pools.map(({ pool, used }) => [pool.metadata.name, used])).toEqual([
    ['high', 2],
    ['low', 1],
  ])
})

test('an annotation names the pool', () => {
  const pools = [cidrPool('high', '198.51.100.0/24', ', priority: 1'), cidrPool('low', '192.0.2.1/32')]
  const named = (name: string) => service('web', { annotations: { 'landfall.dev/address-pool': name } })
  expect(web(...pools, named('low'))).toEqual(['192.0.2.1'])
  expect(refusals(allocationOf(...pools, named('none')))).toEqual({ 'shop/web': 'no_pool' })
})

test('of two pools that overlap the younger is in conflict, and gives nothing', () => {
  const older = pool('older', 'blocks: [{ cidr: 192.0.2.0/31 }]', '2026-01-01T00:00:00Z')
  const younger = pool('elder', 'blocks: [{ cidr: 192.0.2.0/24 }], priority: 9', '2026-01-02T00:00:00Z')
  const allocation = allocationOf(younger, older, service('a'), service('b'), service('c'))
  expect(allocation.pools.map(({ pool, conflict }) => [pool.metadata.name, conflict])).toEqual([
    ['elder', '192.0.2.0/24 overlaps 192.0.2.0/31 of LoadBalancerIPPool older'],
    ['older', undefined],
  ])
  expect(refusals(allocation)).toEqual({ 'shop/c': 'out_of_ips' })
})

test('a pool whose blocks overlap each other is in conflict with itself', () => {
  const twice = pool('blue', 'blocks: [{ cidr: 192.0.2.0/24 }, { start: 192.0.2.7 }]')
  expect(allocationOf(twice).pools[0]?.conflict).toBe('192.0.2.7 overlaps 192.0.2.0/24 of the same pool')
})

test('a pool that is disabled gives nothing, and takes nothing away', () => {
  const disabled = cidrPool('blue', '192.0.2.0/24', ', disabled: true')
  const allocation = allocationOf(disabled, service('new'), service('old', { held: ['192.0.2.9'] }))
  expect(holdings(allocation)).toEqual({ 'shop/new': [], 'shop/old': ['192.0.2.9'] })
  expect(refusals(allocation)).toEqual({ 'shop/new': 'no_pool' })
})

test.for<[string, Parameters<typeof service>[1]]>([
  ['the annotation of Cilium', { annotations: { [ips]: '192.0.2.9' } }],
  ['the annotation of Landfall', { annotations: { 'landfall.dev/ips': '192.0.2.9' } }],
  ['the annotation of MetalLB', { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.9' } }],
  ['spec.loadBalancerIP', { spec: 'loadBalancerIP: 192.0.2.9' }],
])('a Service gets the address that it asks for by %s', ([, text]) => {
  expect(web(cidrPool('blue', '192.0.2.0/24'), service('web', text))).toEqual(['192.0.2.9'])
})

test('several addresses may be asked for, in any way of writing them', () => {
  const text = { annotations: { [ips]: '192.0.2.9, 2001:DB8:0::9' } }
  const pools = [cidrPool('blue', '192.0.2.0/24'), cidrPool('six', '2001:db8::/64')]
  expect(web(...pools, service('web', text))).toEqual(['192.0.2.9', '2001:db8::9'])
})

test('an address that is asked for is not chosen for another', () => {
  const single = cidrPool('blue', '192.0.2.9/32')
  const asking = service('web', { annotations: { [ips]: '192.0.2.9' }, created: '2026-01-02T00:00:00Z' })
  const allocation = allocationOf(single, service('older', { created: '2026-01-01T00:00:00Z' }), asking)
  expect(holdings(allocation)).toEqual({ 'shop/older': [], 'shop/web': ['192.0.2.9'] })
})

test.for<[string, string, string]>([
  ['that another has', '192.0.2.9', 'already_allocated_incompatible_service'],
  ['that no pool has', '198.51.100.1', 'no_pool'],
])('an address %s is refused', ([, address, reason]) => {
  const holder = service('holder', { held: ['192.0.2.9'] })
  const allocation = allocationOf(
    cidrPool('blue', '192.0.2.0/24'),
    holder,
    service('web', { annotations: { [ips]: address } }),
  )
  expect(refusals(allocation)).toEqual({ 'shop/web': reason })
})

test('what is no address is told', () => {
  const { outcomes } = allocationOf(
    cidrPool('blue', '192.0.2.0/24'),
    service('web', { annotations: { [ips]: 'none,192.0.2.1' } }),
  )
  expect(outcomes.get('Service shop/web')).toMatchObject({
    claim: { faults: ['"none" is no IP address'] },
    given: [{ address: '192.0.2.1' }],
  })
})

const twoFamilies = [cidrPool('four', '192.0.2.1/32'), cidrPool('six', '2001:db8::1/128')]

test.for<[string, string | undefined, readonly string[]]>([
  ['nothing said', undefined, ['192.0.2.1']],
  ['IPv6 said', 'ipFamilies: [IPv6]', ['2001:db8::1']],
  ['a cluster IP of IPv6', 'clusterIP: "fd00::1"', ['2001:db8::1']],
  ['SingleStack', 'ipFamilyPolicy: SingleStack, ipFamilies: [IPv6, IPv4]', ['2001:db8::1']],
  ['PreferDualStack', 'ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6]', ['2001:db8::1', '192.0.2.1']],
  ['RequireDualStack', 'ipFamilyPolicy: RequireDualStack', ['192.0.2.1', '2001:db8::1']],
])('a Service with %s gets the addresses of its families', ([, spec, expected]) => {
  expect(web(...twoFamilies, service('web', { ...(spec && { spec }) }))).toEqual(expected)
})

test('PreferDualStack does with one family what RequireDualStack does not', () => {
  const [four = ''] = twoFamilies
  const prefers = service('web', { spec: 'ipFamilyPolicy: PreferDualStack' })
  const requires = service('web', { spec: 'ipFamilyPolicy: RequireDualStack' })
  expect(refusals(allocationOf(four, prefers))).toEqual({})
  expect(refusals(allocationOf(four, requires))).toEqual({ 'shop/web': 'no_pool' })
  expect(web(four, requires)).toEqual(['192.0.2.1'])
})

const sharing = (name: string, text: Parameters<typeof service>[1] = {}) =>
  service(name, { ...text, annotations: { [key]: 'k', ...text.annotations } })
const blue = cidrPool('blue', '192.0.2.0/24')

test.for<[string, string, string, boolean]>([
  ['with other ports', sharing('a'), sharing('web', { port: 'port: 81' }), true],
  ['with the port of another protocol', sharing('a'), sharing('web', { port: 'port: 80, protocol: UDP' }), true],
  ['with a port that is taken', sharing('a'), sharing('web'), false],
  ['with another key', sharing('a'), sharing('web', { port: 'port: 81', annotations: { [key]: 'other' } }), false],
  ['beside one without a key', service('a'), sharing('web', { port: 'port: 81' }), false],
  [
    'with another externalTrafficPolicy',
    sharing('a'),
    sharing('web', { port: 'port: 81', spec: 'externalTrafficPolicy: Local' }),
    false,
  ],
  [
    'where both are Local, with the same Pods',
    sharing('a', { spec: 'externalTrafficPolicy: Local, selector: { app: one }' }),
    sharing('web', { port: 'port: 81', spec: 'externalTrafficPolicy: Local, selector: { app: one }' }),
    true,
  ],
  [
    'where both are Local, with other Pods',
    sharing('a', { spec: 'externalTrafficPolicy: Local, selector: { app: one }' }),
    sharing('web', { port: 'port: 81', spec: 'externalTrafficPolicy: Local, selector: { app: two }' }),
    false,
  ],
  ['from another namespace', sharing('a', { namespace: 'other' }), sharing('web', { port: 'port: 81' }), false],
  [
    'from another namespace that alone allows it',
    sharing('a', { namespace: 'other', annotations: { [across]: 'shop' } }),
    sharing('web', { port: 'port: 81' }),
    false,
  ],
  [
    'from another namespace, and both allow it',
    sharing('a', { namespace: 'other', annotations: { [across]: 'x, shop' } }),
    sharing('web', { port: 'port: 81', annotations: { [across]: '*' } }),
    true,
  ],
])('a sharing key gives two Services one address %s', ([, one, other, isShared]) => {
  const all = Object.values(holdings(allocationOf(blue, one, other))).flat()
  expect([all.length, new Set(all).size]).toEqual([2, isShared ? 1 : 2])
  // Where the first one has it already, too.
  const held = holdings(allocationOf(blue, one, other, record('shop', { 'service.web': '192.0.2.77' })))
  expect(new Set(Object.values(held).flat()).size).toBe(isShared ? 1 : 2)
})

test('an address of a pool that is disabled is not shared with who comes', () => {
  const disabled = cidrPool('blue', '192.0.2.0/24', ', disabled: true')
  const allocation = allocationOf(disabled, sharing('a', { held: ['192.0.2.9'] }), sharing('web', { port: 'port: 81' }))
  expect(holdings(allocation)).toEqual({ 'shop/a': ['192.0.2.9'], 'shop/web': [] })
})

test('a holder keeps what its status says before what a record says', () => {
  const held = service('web', { held: ['192.0.2.5'] })
  const allocation = allocationOf(blue, held, record('shop', { 'service.web': '192.0.2.6' }))
  expect(holdings(allocation)).toEqual({ 'shop/web': ['192.0.2.5'] })
  expect(web(blue, service('web'), record('shop', { 'service.web': '192.0.2.6' }))).toEqual(['192.0.2.6'])
})

test.for<[string, readonly string[], string, string]>([
  ['has gone', [cidrPool('other', '198.51.100.0/24')], '', 'no pool has it'],
  [
    'does not select it any more',
    [
      cidrPool('blue', '192.0.2.0/24', ', serviceSelector: { matchLabels: { a: b } }'),
      cidrPool('other', '198.51.100.0/24'),
    ],
    '',
    'LoadBalancerIPPool blue has it, and does not select Service shop/web',
  ],
  ['has given it to an older holder', [blue], 'older', 'Service shop/older has it'],
])('a holder is told why it lost its address: the pool %s', ([, pools, older, why]) => {
  const held = ['192.0.2.5']
  const other = older === '' ? '' : service(older, { held, created: '2026-01-01T00:00:00Z' })
  const { outcomes } = allocationOf(...pools, other, service('web', { held }))
  expect(outcomes.get('Service shop/web')).toMatchObject({
    lost: [{ address: '192.0.2.5', why }],
    refusal: undefined,
  })
})

test.for<[string, Readonly<Record<string, string>>, string]>([
  ['a kind', { web: '192.0.2.1' }, 'is nobody; a key is service.NAME or gateway.NAME'],
  ['an address', { 'service.web': 'x' }, '"x" is no list of IP addresses'],
])('a record without %s is told', ([, data, message]) => {
  expect(allocationOf(blue, record('shop', data)).faults).toMatchObject([{ message }])
})

test('a record speaks of its own namespace alone', () => {
  const records = record('other', { 'service.web': '192.0.2.6' })
  expect(web(blue, service('web'), records)).not.toEqual(['192.0.2.6'])
})

test('claims that come and go leave what was chosen for others as it is, where there is room', () => {
  const before = holdings(allocationOf(blue, service('m'), service('o'), service('z')))
  const after = holdings(allocationOf(blue, service('a'), service('o'), service('z')))
  expect([after['shop/o'], after['shop/z']]).toEqual([before['shop/o'], before['shop/z']])
})

test.for<[string, string, number, string | undefined]>([
  ['a type without a value', 'addresses: [{ type: IPAddress }]', 1, undefined],
  ['two of them', 'addresses: [{ type: IPAddress }, { type: IPAddress }]', 2, undefined],
  ['an address', 'addresses: [{ value: 192.0.2.7 }]', 1, '192.0.2.7'],
  ['nothing', '', 0, undefined],
  ['a hostname', 'addresses: [{ type: Hostname, value: a.example.com }]', 0, undefined],
])('a Gateway that asks for %s gets so many', ([, spec, count, expected]) => {
  const held = holdings(allocationOf(blue, gatewayClass, gateway('gw', spec)))['shop/gw'] ?? []
  expect(held).toHaveLength(count)
  if (expected !== undefined) expect(held).toEqual([expected])
})

test('a Gateway asks by annotation, too', () => {
  const named = gateway('gw', '', { 'landfall.dev/ips': '192.0.2.7' })
  const open = gateway('gw', 'addresses: [{ type: IPAddress }]', { [ips]: '192.0.2.7' })
  for (const each of [named, open])
    expect(holdings(allocationOf(blue, gatewayClass, each))).toEqual({ 'shop/gw': ['192.0.2.7'] })
})

test('a pool may be for Gateways alone', () => {
  const selector =
    'serviceSelector: { matchExpressions: [{ key: gateway.networking.k8s.io/gateway-name, operator: Exists }] }'
  const own = cidrPool('own', '192.0.2.7/32', `, ${selector}`)
  const allocation = allocationOf(own, gatewayClass, gateway('gw', 'addresses: [{ type: IPAddress }]'), service('a'))
  expect(holdings(allocation)).toEqual({ 'shop/gw': ['192.0.2.7'], 'shop/a': [] })
})

test('the second address of a Gateway is of the other family', () => {
  const both = gateway('gw', 'addresses: [{ type: IPAddress }, { type: IPAddress }]')
  expect(holdings(allocationOf(...twoFamilies, gatewayClass, both))).toEqual({
    'shop/gw': ['192.0.2.1', '2001:db8::1'],
  })
})

test('a Gateway whose class is not of the stand-alone data plane takes nothing', () => {
  const edge = gatewayClass.replace('gateway-controller', 'edge-controller')
  const { outcomes } = allocationOf(blue, edge, gateway('gw', 'addresses: [{ type: IPAddress }]'))
  expect(outcomes.size).toBe(0)
})

test('where there is no pool, nobody claims anything', () => {
  expect(allocationOf(service('web')).outcomes.size).toBe(0)
})
