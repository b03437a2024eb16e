import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseIP } from '../../kube/addresses/ip-number.ts'
import { selects } from '../../kube/label-selector.ts'
import type { KubeObject } from '../../kube/objects.ts'
import { gatewayClass, gateway as gatewayOf, service as serviceOf } from '../compile/object-fixture.ts'
import { cidrPool, objectsOf } from './address-fixture.ts'
import { type Allocation, addresses, addressObjects, allocate, type Outcome } from './allocation.ts'
import type { Claim } from './claim.ts'
import { writeRecords } from './records.ts'

// Small pools, so that all is scarce.

const pools = {
  blue: [cidrPool('blue', '192.0.2.0/29'), cidrPool('blue', '192.0.2.0/29', ', disabled: true')],
  green: [
    cidrPool('green', '192.0.2.8/30', ', priority: 1, serviceSelector: { matchLabels: { tier: a } }'),
    cidrPool('green', '192.0.2.8/29', ', priority: -1'),
  ],
  six: [cidrPool('six', '2001:db8::/126')],
  // In conflict with blue, which is before it by name.
  over: [cidrPool('over', '192.0.2.4/29')],
}
const versions = new Map(
  Object.values(pools)
    .flat()
    .map((text) => [text, objectsOf(text)]),
)

const times = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', undefined]
const policies = ['SingleStack', 'PreferDualStack', 'RequireDualStack']

const services = fc
  .record({
    name: fc.nat(9),
    namespace: fc.constantFrom('shop', 'bank'),
    created: fc.constantFrom(...times),
    port: fc.constantFrom(80, 81),
    key: fc.constantFrom(undefined, undefined, 'k', 'l'),
    isAcross: fc.boolean(),
    isLocal: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    tier: fc.constantFrom('a', 'b'),
    request: fc.constantFrom(undefined, undefined, undefined, '192.0.2.3', '192.0.2.9', '198.51.100.1'),
    policy: fc.constantFrom(undefined, ...policies),
    held: fc.constantFrom([], [], [], ['192.0.2.1'], ['192.0.2.5', '2001:db8::1'], ['192.0.2.9']),
  })
  .map(({ name, namespace, created, port, key, isAcross, isLocal, tier, request, policy, held }) =>
    serviceOf({
      metadata: {
        name: `s${name}`,
        namespace,
        labels: { tier },
        ...(created && { creationTimestamp: created }),
        annotations: {
          ...(key && { 'lbipam.cilium.io/sharing-key': key }),
          ...(isAcross && { 'lbipam.cilium.io/sharing-cross-namespace': '*' }),
          ...(request && { 'lbipam.cilium.io/ips': request }),
        },
      },
      spec: {
        type: 'LoadBalancer',
        ports: [{ port }],
        externalTrafficPolicy: isLocal ? 'Local' : 'Cluster',
        ...(policy && { ipFamilyPolicy: policy }),
      },
      status: { loadBalancer: { ingress: held.map((ip) => ({ ip })) } },
    }),
  )

const gateways = fc
  .record({ name: fc.nat(3), wants: fc.constantFrom(1, 2), value: fc.constantFrom('', '192.0.2.2') })
  .map(({ name, wants, value }) =>
    gatewayOf({
      metadata: { name: `g${name}`, namespace: 'shop' },
      spec: { addresses: [...Array(wants).fill({ type: 'IPAddress' }), ...(value === '' ? [] : [{ value }])] },
    }),
  )

const claimants = fc.oneof({ weight: 4, arbitrary: services }, { weight: 1, arbitrary: gateways })
const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace}/${metadata.name}`

const ourClass = gatewayClass()

/** The same objects for the same text, as a reader of files has them. */
const parsed = new Map<string, readonly KubeObject[]>()
function recordObjects(text: string): readonly KubeObject[] {
  const objects = parsed.get(text) ?? objectsOf(text)
  parsed.set(text, objects)
  return objects
}

/** Of two objects with one name the later counts. */
const world = (claimants: readonly KubeObject[], pools: readonly string[], records = ''): readonly KubeObject[] => [
  ourClass,
  ...pools.flatMap((text) => versions.get(text) ?? []),
  ...new Map(claimants.map((object) => [nameOf(object), object])).values(),
  ...(records === '' ? [] : recordObjects(records)),
]

const somePools = fc
  .tuple(...Object.values(pools).map((texts) => fc.constantFrom('', ...texts)))
  .map((texts) => texts.filter((text) => text !== ''))

const given = (objects: readonly KubeObject[], previous?: Allocation): Allocation =>
  allocate(addressObjects(objects), previous)

/** All that matters of an allocation, in an order of its own. */
const said = ({ pools, outcomes }: Allocation): unknown => [
  pools.map(({ key, used, conflict }) => [key, used, conflict]),
  [...outcomes.values()].sort((a, b) => (a.claim.key < b.claim.key ? -1 : 1)),
]

const mayShare = (a: Claim, b: Claim): boolean =>
  a.sharing !== undefined &&
  b.sharing?.key === a.sharing.key &&
  a.policy === b.policy &&
  !a.ports.some((port) => b.ports.includes(port)) &&
  (a.namespace === b.namespace || (a.sharing.namespaces.includes('*') && b.sharing.namespaces.includes('*')))

/** Outcomes of those who hold each address. */
const byAddress = ({ outcomes }: Allocation): ReadonlyMap<string, readonly Outcome[]> => {
  const holders = new Map<string, Outcome[]>()
  for (const outcome of outcomes.values())
    for (const address of addresses(outcome)) holders.set(address, [...(holders.get(address) ?? []), outcome])
  return holders
}

const crowds = fc.array(claimants, { maxLength: 24 })

test('no address has two holders that may not share it', () => {
  let shared = 0
  fc.assert(
    fc.property(crowds, somePools, (all, pools) => {
      for (const holders of byAddress(given(world(all, pools))).values()) {
        const claims = holders.map(({ claim }) => claim)
        for (const [index, one] of claims.entries())
          for (const other of claims.slice(index + 1)) {
            expect(mayShare(one, other)).toBe(true)
            shared++
          }
      }
    }),
    { numRuns: 300 },
  )
  expect(shared).toBeGreaterThan(0)
})

test('every address that is given is of a pool that selects the holder, and has been asked for', () => {
  fc.assert(
    fc.property(crowds, somePools, (all, pools) => {
      const allocation = given(world(all, pools))
      for (const { claim, given } of allocation.outcomes.values())
        for (const [index, each] of given.entries()) {
          if (each === undefined) continue
          const number = parseIP(each.address)
          const use = allocation.pools.find(({ key }) => key === each.pool)
          const selector = use?.pool.spec.serviceSelector
          expect(selector === undefined || selects(selector, claim.labels)).toBe(true)
          expect(
            use?.blocks.some(
              ({ family, first, last }) =>
                number !== undefined && family === number.family && first <= number.value && number.value <= last,
            ),
          ).toBe(true)
          const want = claim.wants[index]
          expect(want?.address ?? each.address).toBe(each.address)
          expect(want?.families.some((family) => family === number?.family)).toBe(true)
        }
    }),
    { numRuns: 300 },
  )
})

test('what is free is free, and nobody goes without while there is something', () => {
  fc.assert(
    fc.property(crowds, somePools, (all, pools) => {
      const allocation = given(world(all, pools))
      const holders = byAddress(allocation)
      const isIn = (address: string, { blocks }: Allocation['pools'][number]): boolean => {
        const number = parseIP(address)
        return blocks.some(
          ({ family, first, last }) =>
            number !== undefined && family === number.family && first <= number.value && number.value <= last,
        )
      }
      for (const use of allocation.pools)
        expect(use.used).toBe([...holders.keys()].filter((address) => isIn(address, use)).length)
      for (const { claim, refusals } of allocation.outcomes.values())
        for (const [index, refusal] of refusals.entries()) {
          if (refusal?.reason !== 'out_of_ips') continue
          const families = claim.wants[index]?.families ?? []
          for (const { pool, isOpen, blocks } of allocation.pools) {
            const { serviceSelector } = pool.spec
            if (!isOpen || (serviceSelector !== undefined && !selects(serviceSelector, claim.labels))) continue
            for (const { family, first, last } of blocks) {
              if (!families.includes(family)) continue
              const own = [...holders.keys()].map(parseIP).filter((number) => number?.family === family)
              const held = own.filter((number) => number && first <= number.value && number.value <= last)
              expect(BigInt(held.length)).toBe(last - first + 1n)
            }
          }
        }
    }),
    { numRuns: 300 },
  )
})

test('the order of objects does not matter', () => {
  fc.assert(
    fc.property(crowds, somePools, fc.infiniteStream(fc.nat()), (all, pools, keys) => {
      const objects = world(all, pools)
      const shuffled = objects
        .map((object) => [keys.next().value ?? 0, object] as const)
        .sort(([a], [b]) => a - b)
        .map(([, object]) => object)
      expect(said(given(shuffled))).toEqual(said(given(objects)))
    }),
    { numRuns: 200 },
  )
})

type Event =
  | { readonly type: 'comes'; readonly object: KubeObject }
  | { readonly type: 'goes'; readonly nth: number }
  | { readonly type: 'pools'; readonly pools: readonly string[] }
  | { readonly type: 'records' }

const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: claimants.map((object) => ({ type: 'comes' as const, object })) },
  { weight: 2, arbitrary: fc.nat(20).map((nth) => ({ type: 'goes' as const, nth })) },
  { weight: 1, arbitrary: somePools.map((pools) => ({ type: 'pools' as const, pools })) },
  { weight: 1, arbitrary: fc.constant({ type: 'records' as const }) },
)

const recordsOf = ({ outcomes }: Allocation): string =>
  writeRecords([...outcomes.values()].map((outcome) => [outcome.claim, addresses(outcome)] as const))

const newcomer = serviceOf({ metadata: { name: 'newcomer' }, spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } })

test('what follows from earlier allocations follows from nothing, too', () => {
  let added = 0
  fc.assert(
    fc.property(fc.array(events, { maxLength: 30 }), somePools, (all, firstPools) => {
      let [claimants, pools, records]: [readonly KubeObject[], readonly string[], string] = [[], firstPools, '']
      let last: Allocation | undefined
      for (const event of all) {
        if (event.type === 'comes')
          claimants = [...claimants.filter((other) => nameOf(other) !== nameOf(event.object)), event.object]
        else if (event.type === 'goes') claimants = claimants.filter((_, index) => index !== event.nth)
        else if (event.type === 'pools') pools = event.pools
        else if (last !== undefined) records = recordsOf(last)
        const objects = world(claimants, pools, records)
        const before = last
        last = given(objects, before)
        expect(said(last)).toEqual(said(given(objects)))
        if (last.memo !== undefined && last.memo.book === before?.memo?.book && last.outcomes !== before.outcomes)
          added++
        // The allocation before is as good as it was, for whoever has another change.
        const branch = world([...claimants, newcomer], pools, records)
        expect(said(given(branch, before))).toEqual(said(given(branch)))
      }
    }),
    { numRuns: 600 },
  )
  // Those that were not begun anew.
  expect(added).toBeGreaterThan(500)
})

test('whoever is recorded keeps the address, whoever comes and goes, in whatever order, over any restart', () => {
  let kept = 0
  fc.assert(
    fc.property(crowds, fc.array(events, { maxLength: 12 }), somePools, (crowd, all, pools) => {
      const first = world(crowd.filter(isSilent), pools)
      const before = given(first)
      const outcomes = [...before.outcomes.values()]
      // Half of it is in statuses, half in records.
      const records = writeRecords(
        outcomes.filter((_, n) => n % 2 === 0).map((outcome) => [outcome.claim, addresses(outcome)] as const),
      )
      const inStatus = new Map(outcomes.filter((_, n) => n % 2 === 1).map((outcome) => [outcome.claim.key, outcome]))
      const stay = new Map(first.map((object) => [nameOf(object), withStatus(object, inStatus.get(nameOf(object)))]))
      let claimants: readonly KubeObject[] = [...stay.values()].filter(isClaimant)
      let last: Allocation | undefined
      for (const event of all) {
        if (event.type === 'comes' && isSilent(event.object) && !stay.has(nameOf(event.object)))
          claimants = [event.object, ...claimants]
        else if (event.type === 'goes') claimants = claimants.filter((_, index) => index !== event.nth)
        // A restart.
        else last = undefined
        last = given(world(claimants, pools, records), last)
        const there = new Set(claimants.map(nameOf))
        for (const outcome of outcomes) {
          if (!there.has(outcome.claim.key)) continue
          const now = last.outcomes.get(outcome.claim.key)
          expect(now === undefined ? [] : addresses(now)).toEqual(expect.arrayContaining([...addresses(outcome)]))
          kept++
        }
      }
    }),
    { numRuns: 200 },
  )
  expect(kept).toBeGreaterThan(0)
})

const isClaimant = ({ kind }: KubeObject): boolean => kind === 'Service' || kind === 'Gateway'

/** Whether its status says nothing. */
const isSilent = (object: KubeObject): boolean =>
  object.kind !== 'Service' || object.status?.loadBalancer.ingress.length === 0

function withStatus(object: KubeObject, outcome: Outcome | undefined): KubeObject {
  if (outcome === undefined) return object
  const held = addresses(outcome)
  if (object.kind === 'Gateway') return { ...object, status: { addresses: held } }
  if (object.kind !== 'Service') return object
  return { ...object, status: { loadBalancer: { ingress: held.map((ip) => ({ ip })) } } }
}
