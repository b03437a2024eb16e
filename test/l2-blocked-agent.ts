// Meets peers and answers for one address as the agent does, and stands still for so many milliseconds after SIGUSR2. Its words:
// manifests, the name of the node, and the milliseconds.
import process from 'node:process'
import { L2Agent } from '../bgp-agent/l2/l2-agent.ts'
import { planL2 } from '../bgp-agent/l2/plan/l2-plan.ts'
import { nodeObjects } from '../bgp-agent/plan/node-objects.ts'
import { interfaceNetworks } from '../bgp-agent/sys/interfaces.ts'
import { readManifests } from '../kube/manifests.ts'

const [, , directory = '', nodeName = '', milliseconds = '0'] = process.argv
const { objects } = await readManifests([directory])
const agent = new L2Agent(
  { node: nodeName, ownedOn: undefined },
  {
    log: (message) => process.stdout.write(`${message}\n`),
    failed: (error) => {
      throw error
    },
  },
)
const machine = { networks: interfaceNetworks(), defaultRoutes: [] }
agent.set(planL2(nodeObjects(objects), { nodeName, secretNamespace: 'kube-system', machine }))
process.on('SIGUSR2', () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(milliseconds))
  process.stdout.write('goes on\n')
})
