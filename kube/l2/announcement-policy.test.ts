import { expect, test } from 'vitest'
import { parseManifests } from '../manifests.ts'

const policy = (spec: string, kind = 'landfall.dev/v1alpha1 L2AnnouncementPolicy'): string => {
  const [apiVersion, name] = kind.split(' ')
  return `{ apiVersion: ${apiVersion}, kind: ${name}, metadata: { name: lan }, spec: { ${spec} } }`
}

test("Cilium's kind announces nothing by default, ours addresses of load balancers", () => {
  const ciliums = parseManifests('a.yaml', policy('', 'cilium.io/v2alpha1 CiliumL2AnnouncementPolicy'))
  expect(ciliums.objects).toMatchObject([{ spec: { loadBalancerIPs: false, externalIPs: false } }])
  expect(parseManifests('a.yaml', policy('')).objects).toMatchObject([
    { spec: { loadBalancerIPs: true, externalIPs: false, preferredNodes: [], timers: 'default' } },
  ])
})

test.for<[string, string, string]>([
  ['timers that nobody knows', 'timers: faster', 'spec.timers'],
  ['a weight beyond a hundred', 'preferredNodes: [{ weight: 101, nodeSelector: {} }]', 'spec.preferredNodes[0].weight'],
  [
    'a detection time of less than three heartbeats',
    'intervals: { heartbeatMilliseconds: 100, detectionMilliseconds: 299 }',
    'spec.intervals.detectionMilliseconds',
  ],
  ['a pattern that is no text', 'interfaces: [1]', 'spec.interfaces[0]'],
])('%s is a problem', ([, spec, field]) => {
  const { objects, problems } = parseManifests('a.yaml', policy(spec))
  expect(objects).toEqual([])
  expect(problems).toMatchObject([{ severity: 'error', field }])
})

test("what Cilium's kind has not is told, and left out", () => {
  const { objects, problems } = parseManifests(
    'a.yaml',
    policy('timers: fast', 'cilium.io/v2alpha1 CiliumL2AnnouncementPolicy'),
  )
  expect(objects).toHaveLength(1)
  expect(problems).toMatchObject([{ severity: 'warning', field: 'spec.timers' }])
})
