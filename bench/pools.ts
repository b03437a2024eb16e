import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Allocation, addresses, addressObjects, allocate } from '../control/addresses/allocation.ts'
import { writeRecords } from '../control/addresses/records.ts'
import { parseManifests } from '../kube/manifests.ts'
import type { KubeObject } from '../kube/objects.ts'
import { median, type Row } from './report.ts'

/** How long 10,000 Services over 3 pools take to their addresses, from nothing and after one more. */

const services = 10_000
const rounds = 21

const pool = (name: string, cidr: string, tier: string): object => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumLoadBalancerIPPool',
  metadata: { name },
  spec: { blocks: [{ cidr }], serviceSelector: { matchLabels: { tier } } },
})

/** Two that are filled to four fifths, and one larger than any memory. */
const pools = [pool('a', '10.0.0.0/20', 'a'), pool('b', '10.1.0.0/20', 'b'), pool('c', '2001:db8::/64', 'c')]
const tiers = ['a', 'b', 'c']

const service = (name: string, tier: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'bench', labels: { tier } },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ipFamilies: [tier === 'c' ? 'IPv6' : 'IPv4'] },
})

const parse = (items: readonly object[]): readonly KubeObject[] =>
  parseManifests('bench.json', JSON.stringify({ kind: 'List', apiVersion: 'v1', items })).objects

export async function poolsBench(): Promise<readonly Row[]> {
  const crowd = Array.from({ length: services }, (_, n) => service(`service-${n}`, tiers[n % 3] ?? ''))
  const objects = parse([...pools, ...crowd])
  allocate(addressObjects(parse([...pools, service('warm', 'a')])))
  collect()
  const heap = process.memoryUsage().heapUsed
  let since = performance.now()
  const chosen = allocate(addressObjects(objects))
  const cold = performance.now() - since
  collect()
  const memory = (process.memoryUsage().heapUsed - heap) / 2 ** 20
  check(chosen)

  const records = parseManifests(
    'records.yaml',
    writeRecords([...chosen.outcomes.values()].map((outcome) => [outcome.claim, addresses(outcome)] as const)),
  ).objects
  const recorded = [...objects, ...records]
  since = performance.now()
  const known = allocate(addressObjects(recorded))
  const coldRecorded = performance.now() - since
  check(known)

  return [
    { name: 'from nothing, nothing recorded', value: cold, unit: 'ms', bar: { atMost: 1000 } },
    { name: 'from nothing, all recorded', value: coldRecorded, unit: 'ms', bar: { atMost: 1000 } },
    {
      name: 'one more Service, the others recorded',
      value: oneMore(recorded, known, 'new'),
      unit: 'ms',
      bar: { atMost: 5 },
    },
    {
      name: 'one more Service, the last by name',
      value: oneMore(objects, chosen, 'zzz'),
      unit: 'ms',
      bar: { atMost: 5 },
    },
    { name: 'one more Service among those that are not recorded', value: oneMore(objects, chosen, 'new'), unit: 'ms' },
    { name: 'memory of it all', value: memory, unit: 'MiB' },
  ]
}

/** Milliseconds, at the median. */
function oneMore(before: readonly KubeObject[], first: Allocation, name: string): number {
  let [objects, allocation] = [before, first]
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    objects = [...objects, ...parse([service(`${name}-${round}`, tiers[round % 3] ?? '')])]
    const since = performance.now()
    allocation = allocate(addressObjects(objects), allocation)
    times.push(performance.now() - since)
  }
  check(allocation, services + rounds)
  return median(times)
}

function check({ outcomes }: Allocation, wanted = services): void {
  const held = new Set([...outcomes.values()].flatMap(addresses))
  if (held.size !== wanted) throw new Error(`${held.size} addresses for ${wanted} Services`)
}

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
