import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeObjects } from '../bgp-agent/plan/node-objects.ts'
import { type NodePlan, planNode } from '../bgp-agent/plan/node-plan.ts'
import { cidrPool, gateway, gatewayClass, objectsOf, record, service } from '../control/addresses/address-fixture.ts'
import { AddressedObjects } from '../control/addresses/addressed-objects.ts'
import { type Compiled, compile } from '../control/compile/compile.ts'
import { site } from '../control/compile/object-fixture.ts'
import { Snapshot } from '../control/snapshot.ts'
import { statuses } from '../control/status/statuses.ts'
import type { KubeObject } from '../kube/objects.ts'
import { landfall, run, Site } from './serve-rig.ts'

const blue = cidrPool('blue', '192.0.2.7/32')

// What a Gateway is given.

const compiledOf = (...manifests: readonly string[]): Compiled =>
  compile(Snapshot.of(objectsOf(gatewayClass, ...manifests)), site)

/** The addresses of Gateway shop/gw, those that its table has, and its conditions Accepted and Programmed. */
function gatewayIn(...manifests: readonly string[]): readonly unknown[] {
  const compiled = compiledOf(...manifests)
  const found = statuses(compiled, '').find(({ object }) => object.kind === 'Gateway' && object.metadata.name === 'gw')
  const conditions = ['Accepted', 'Programmed'].map((type) =>
    found?.status.conditions
      ?.filter((condition) => condition.type === type)
      .map(({ status, reason }) => `${status}/${reason}`),
  )
  const table = compiled.tables.find(({ gateway }) => gateway === 'shop/gw')
  return [found?.status.addresses?.map(({ value }) => value), table?.addresses, ...conditions.flat()]
}

const open = gateway('gw', 'addresses: [{ type: IPAddress }]')
const holder = service('holder', { held: ['192.0.2.7'] })

test.for<[string, readonly string[], readonly unknown[]]>([
  [
    'a type without a value: one of the pool',
    [blue, open],
    [['192.0.2.7'], ['192.0.2.7'], 'True/Accepted', 'True/Programmed'],
  ],
  [
    'an address of the pool',
    [blue, gateway('gw', 'addresses: [{ value: 192.0.2.7 }]')],
    [['192.0.2.7'], ['192.0.2.7'], 'True/Accepted', 'True/Programmed'],
  ],
  ['nothing: what the place has', [blue, gateway('gw', '')], [['127.0.0.1'], [], 'True/Accepted', 'True/Programmed']],
  [
    'an address of the place itself',
    [blue, gateway('gw', 'addresses: [{ value: 127.0.0.9 }]')],
    [['127.0.0.9'], ['127.0.0.9'], 'True/Accepted', 'True/Programmed'],
  ],
  [
    'a type without a value, where no pool selects it: what the place has',
    [cidrPool('blue', '192.0.2.7/32', ', serviceSelector: { matchLabels: { a: b } }'), open],
    [['127.0.0.1'], [], 'True/Accepted', 'True/Programmed'],
  ],
  [
    'a type without a value, where nothing is left: it is not served',
    [blue, holder, open],
    [[], undefined, 'True/Accepted', 'False/AddressNotAssigned'],
  ],
  [
    'an address that another has: it is not served',
    [blue, holder, gateway('gw', 'addresses: [{ value: 192.0.2.7 }]')],
    [[], undefined, 'True/Accepted', 'False/AddressNotUsable'],
  ],
  [
    'an address that neither pools nor the place have',
    [blue, gateway('gw', 'addresses: [{ value: 198.51.100.1 }, { value: 127.0.0.9 }]')],
    [['127.0.0.9'], ['127.0.0.9'], 'True/Accepted', 'False/AddressNotUsable'],
  ],
  [
    'a type that is not supported',
    [blue, gateway('gw', 'addresses: [{ type: example.com/own, value: x }, { type: IPAddress }]')],
    [['192.0.2.7'], undefined, 'False/UnsupportedAddress', 'False/Invalid'],
  ],
])('a Gateway asks for %s', ([, manifests, expected]) => {
  expect(gatewayIn(...manifests)).toEqual(expected)
})

test('a compile after a change gives what a compile from nothing gives', () => {
  const before = objectsOf(gatewayClass, cidrPool('blue', '192.0.2.0/24'), open)
  const after = [...before, ...objectsOf(service('a'), service('b'))]
  const first = compile(Snapshot.of(before), site)
  const next = compile(Snapshot.of(before).next(after), site, first)
  const said = (compiled: Compiled) => [compiled.tables, statuses(compiled, '')]
  expect(said(next)).toEqual(said(compile(Snapshot.of(after), site)))
  // The Gateway is as it was, and so is all that stands on it.
  expect(next.gateways[0]?.state).toBe(first.gateways[0]?.state)
})

test('statuses tell of pools and Services in the words of Cilium', () => {
  const all = statuses(compiledOf(blue, service('a'), service('b')), '2026-01-01T00:00:00Z')
  const of = (name: string) => all.find(({ object }) => object.metadata.name === name)?.status
  expect(of('blue')?.conditions?.map(({ type, status, message }) => [type, status, message])).toEqual([
    ['cilium.io/PoolConflict', 'False', ''],
    ['cilium.io/IPsTotal', 'Unknown', '1'],
    ['cilium.io/IPsAvailable', 'Unknown', '0'],
    ['cilium.io/IPsUsed', 'Unknown', '1'],
  ])
  expect(of('a')).toMatchObject({
    loadBalancer: { ingress: [{ ip: '192.0.2.7' }] },
    conditions: [{ type: 'cilium.io/IPAMRequestSatisfied', status: 'True', reason: 'satisfied' }],
  })
  expect(of('b')).toMatchObject({
    loadBalancer: { ingress: [] },
    conditions: [{ status: 'False', reason: 'out_of_ips', message: 'no address of IPv4 or IPv6 is free in blue' }],
  })
})

test('what is wrong with pools, records and claims is told where it stands', () => {
  const { findings } = compiledOf(
    blue,
    cidrPool('other', '192.0.2.0/24'),
    record('shop', { web: 'x' }),
    service('a', { held: ['198.51.100.1'] }),
    service('b', { annotations: { 'landfall.dev/ips': 'x' } }),
  )
  expect(findings.map(({ object, path, reason }) => [object.metadata.name, path.join('.'), reason])).toEqual([
    ['other', 'spec.blocks', 'PoolConflict'],
    ['landfall-addresses', 'data.web', 'UnknownValue'],
    ['a', 'status', 'AddressLost'],
    ['b', 'metadata.annotations', 'UnknownValue'],
    ['b', 'spec', 'AddressNotAssigned'],
  ])
})

// What agents announce.

const bgp = `
apiVersion: v1
kind: Node
metadata: { name: one }
status: { addresses: [{ type: InternalIP, address: 192.0.2.1 }] }
---
apiVersion: landfall.dev/v1alpha1
kind: BGPClusterConfig
metadata: { name: all }
spec:
  bgpInstances:
    - name: main
      localASN: 65001
      peers: [{ name: tor, peerAddress: 192.0.2.254, peerASN: 65000, peerConfigRef: { name: tor } }]
---
apiVersion: landfall.dev/v1alpha1
kind: BGPPeerConfig
metadata: { name: tor }
spec: { families: [{ afi: ipv4, safi: unicast, advertisements: {} }] }
---
apiVersion: landfall.dev/v1alpha1
kind: BGPAdvertisement
metadata: { name: all }
spec:
  advertisements:
    - { advertisementType: Service, service: { addresses: [LoadBalancerIP] }, selector: {} }
    - { advertisementType: Gateway, selector: {} }
---`

const announced = (objects: readonly KubeObject[]): readonly string[] => {
  const machine = { interfaces: new Map(), defaultRoutes: [] }
  const plan: NodePlan = planNode(nodeObjects(objects), { nodeName: 'one', secretNamespace: 'kube-system', machine })
  return [...(plan.instances[0]?.peers[0]?.routes.keys() ?? [])].sort()
}

test('BGP announces what Services and Gateways are given', () => {
  const pools = [cidrPool('a', '192.0.2.8/32', ', priority: 1'), cidrPool('b', '192.0.2.9/32')]
  const objects = objectsOf(bgp, gatewayClass, ...pools, service('web'), open)
  expect(announced(objects)).toEqual([])
  expect(announced(new AddressedObjects().next(objects))).toEqual(['192.0.2.8/32', '192.0.2.9/32'])
})

test('an address that is refused is not announced, and one of no pool is, as ever', () => {
  const objects = objectsOf(
    bgp,
    gatewayClass,
    cidrPool('blue', '192.0.2.8/32'),
    service('holder', { held: ['192.0.2.8'] }),
    service('lost', { held: ['192.0.2.8'], annotations: { 'landfall.dev/ips': '192.0.2.8' } }),
    gateway('gw', 'addresses: [{ value: 192.0.2.8 }, { value: 203.0.113.1 }]'),
  )
  const addressed = new AddressedObjects().next(objects)
  expect(announced(addressed)).toEqual(['192.0.2.8/32', '203.0.113.1/32'])
  expect(addressed.find(({ metadata }) => metadata.name === 'lost')).toMatchObject({
    status: { loadBalancer: { ingress: [] } },
  })
})

test('an object whose addresses stay is the very same, and where there is no pool all are', () => {
  const objects = objectsOf(gatewayClass, cidrPool('blue', '192.0.2.0/24'), service('web'), open)
  const addressed = new AddressedObjects()
  const first = addressed.next(objects)
  const next = addressed.next([...objects, ...objectsOf(service('more'))])
  expect(next.slice(0, objects.length).every((object, index) => object === first[index])).toBe(true)
  const poolless = objectsOf(gatewayClass, service('web', { held: ['192.0.2.9'] }), open)
  expect(new AddressedObjects().next(poolless)).toBe(poolless)
})

// The command line.

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'landfall-pools-'))
})
afterEach(() => rm(directory, { recursive: true }))

const pools = (...args: readonly string[]) => run(landfall, ['pools', ...args])

test('landfall pools says what there is, who has it, and who goes without', async () => {
  await writeFile(join(directory, 'all.yaml'), [blue, service('a', { held: ['192.0.2.7'] }), service('b')].join('\n'))
  const { code, stdout } = await pools('-f', directory)
  expect(code).toBe(1)
  expect(stdout).toMatch(/^blue +1 +1 +0 +open$/m)
  expect(stdout).toMatch(/^192\.0\.2\.7 +blue +Service shop\/a +in its status$/m)
  expect(stdout).toMatch(/^out_of_ips Service shop\/b: no address of IPv4 or IPv6 is free in blue$/m)
  const wide = await pools('-f', directory, '-o', 'wide')
  expect(wide.stdout).toMatch(/^192\.0\.2\.7 .* 80\/TCP +-$/m)
  const json = JSON.parse((await pools('-f', directory, '-o', 'json')).stdout)
  expect(json).toMatchObject({
    pools: [{ name: 'blue', total: '1', used: 1, available: '0', blocks: ['192.0.2.7/32'] }],
    claims: [
      { name: 'a', addresses: [{ address: '192.0.2.7', origin: 'status' }] },
      { name: 'b', addresses: [], refusal: { reason: 'out_of_ips' } },
    ],
  })
})

test('landfall status shows what pools have, and what Services and Gateways have of them', async () => {
  const own = cidrPool('own', '192.0.2.9/32', ', priority: 1, serviceSelector: { matchLabels: { a: b } }')
  const all = [gatewayClass, own, cidrPool('blue', '192.0.2.7/32'), open, service('a', { labels: 'a: b' })]
  await writeFile(join(directory, 'all.yaml'), all.join('\n'))
  const { stdout } = await run(landfall, ['status', '-f', directory])
  expect(stdout).toMatch(/^Gateway shop\/gw\n {2}address 192\.0\.2\.7$/m)
  expect(stdout).toMatch(/^Service shop\/a\n {2}address 192\.0\.2\.9\n {2}cilium\.io\/IPAMRequestSatisfied True/m)
  expect(stdout).toMatch(/^ {2}cilium\.io\/IPsAvailable 0$/m)
})

test('landfall pools assign writes what nobody loses afterwards, and changes the lines of those who come and go alone', async () => {
  const file = join(directory, 'addresses.yaml')
  const write = (...services: readonly string[]) =>
    writeFile(join(directory, 'all.yaml'), [cidrPool('blue', '192.0.2.0/29'), ...services].join('\n'))
  const assign = () => pools('assign', '-f', directory, '-o', file)

  await write(service('b'), service('d'), service('e', { namespace: 'other' }))
  expect((await assign()).code).toBe(0)
  const first = await readFile(file, 'utf8')
  expect(first.match(/service\.[bde]: "192\.0\.2\.\d"/g)).toHaveLength(3)
  expect((await assign()).stdout).toMatch(/3 holders in .*, as before/)
  expect((await pools('-f', directory)).stdout).not.toContain('not recorded')

  await write(service('a'), service('b'), service('c'), service('e', { namespace: 'other' }))
  await assign()
  const lines = (await readFile(file, 'utf8')).split('\n')
  const before = first.split('\n')
  expect(before.filter((line) => !lines.includes(line)).map((line) => line.slice(0, 11))).toEqual(['  service.d'])
  expect(lines.filter((line) => !before.includes(line)).map((line) => line.slice(0, 11))).toEqual([
    '  service.a',
    '  service.c',
  ])
})

test('landfall pools assign leaves the file alone where that would cost somebody an address', async () => {
  const file = join(directory, 'addresses.yaml')
  const all = join(directory, 'all.yaml')
  await writeFile(all, [blue, service('a')].join('\n'))
  await pools('assign', '-f', directory, '-o', file)
  const before = await readFile(file, 'utf8')

  const forgotten = await pools('assign', '-f', all, '-o', file)
  expect([forgotten.code, forgotten.stderr]).toEqual([2, expect.stringContaining('name it with -f, too')])
  await writeFile(all, [blue, service('a', { port: 'port: none' })].join('\n'))
  const faulty = await pools('assign', '-f', directory, '-o', file)
  expect([faulty.code, faulty.stderr]).toEqual([2, expect.stringContaining('stays as it is')])
  expect(await readFile(file, 'utf8')).toBe(before)
})

test('landfall serve listens at the address of the pool', async () => {
  const site = await Site.create()
  try {
    const port = 18_080
    const spec = `addresses: [{ type: IPAddress }], listeners: [{ name: http, port: ${port}, protocol: HTTP }]`
    const manifests = [
      gatewayClass,
      cidrPool('blue', `${site.address}/32`),
      gateway('gw', '').replace(/listeners: .*\}\]/, spec),
    ]
    await site.writeText('all.yaml', manifests.join('\n'))
    await site.start([port])
    // No route leads anywhere, and it is Landfall that says so.
    expect((await site.get(port)).status).toBe(404)
  } finally {
    await site.close()
  }
})
