import { expect, test } from 'vitest'
import { parseManifests } from '../manifests.ts'

const read = (spec: string, kind = 'LoadBalancerIPPool', apiVersion = 'landfall.dev/v1alpha1') =>
  parseManifests('pools.yaml', `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: blue }\nspec:\n${spec}`)

test.for(['cilium.io/v2', 'cilium.io/v2alpha1'])('a pool of Cilium is read in %s', (apiVersion) => {
  const spec = '  blocks: [{ cidr: 192.0.2.0/24 }, { start: 2001:db8::1, stop: 2001:db8::9 }, { start: 192.0.3.1 }]'
  const { objects, problems } = read(spec, 'CiliumLoadBalancerIPPool', apiVersion)
  expect(problems).toEqual([])
  expect(objects).toMatchObject([{ spec: { disabled: false, allowFirstLastIPs: 'Yes' } }])
})

test.for([
  ['a network without a length', '- cidr: 192.0.2.0', 5, 'spec.blocks[0].cidr'],
  ['a network that is longer than its family', '- cidr: 192.0.2.0/33', 5, 'spec.blocks[0].cidr'],
  ['a start that is no address', '- start: here', 5, 'spec.blocks[0].start'],
  ['a range that runs backwards', '- start: 192.0.2.9\n      stop: 192.0.2.1', 6, 'spec.blocks[0].stop'],
  ['a range of two families', '- start: 192.0.2.9\n      stop: 2001:db8::1', 6, 'spec.blocks[0].stop'],
  ['a stop without a start', '- cidr: 192.0.2.0/24\n      stop: 192.0.2.1', 6, 'spec.blocks[0].stop'],
  ['a network that is a range, too', '- cidr: 192.0.2.0/24\n      start: 192.0.2.1', 5, 'spec.blocks[0]'],
  ['nothing', '- {}', 5, 'spec.blocks[0]'],
] as const)('a block of %s is told with its line and field', ([, block, line, field]) => {
  // The first line of spec is the fourth.
  const { problems } = read(`  blocks:\n    ${block}`)
  expect(problems.map((problem) => [problem.line - 1, problem.field])).toEqual([[line, field]])
})

test('a priority is for pools of Landfall alone', () => {
  const spec = '  blocks: [{ cidr: 192.0.2.0/24 }]\n  priority: 7'
  expect(read(spec).objects).toMatchObject([{ spec: { priority: 7 } }])
  expect(read(spec, 'CiliumLoadBalancerIPPool', 'cilium.io/v2').problems).toMatchObject([{ severity: 'warning' }])
})
