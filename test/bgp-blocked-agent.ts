// Holds the session of examples/bare-metal-bgp, and stands still for so many milliseconds after SIGUSR2.
import process from 'node:process'
import { nodeObjects } from '../bgp-agent/plan/node-objects.ts'
import { planNode } from '../bgp-agent/plan/node-plan.ts'
import { SpeakerHandle } from '../bgp-agent/speaker-handle.ts'
import { readManifests } from '../kube/manifests.ts'

const [, , directory = '', milliseconds = '0'] = process.argv
const { objects } = await readManifests([directory])
const speaker = new SpeakerHandle({
  log: (message) => process.stdout.write(`${message}\n`),
  failed: (error) => {
    throw error
  },
})
speaker.set(
  planNode(nodeObjects(objects), {
    nodeName: 'node-1',
    secretNamespace: 'kube-system',
    machine: { interfaces: new Map(), defaultRoutes: [] },
  }),
)
process.on('SIGUSR2', () => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(milliseconds))
  process.stdout.write('goes on\n')
})
