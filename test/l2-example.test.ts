import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { L2Network } from './l2-network.ts'
import { has, landfall } from './serve-rig.ts'

// In CI nothing is passed over: there it fails for who may not make namespaces.
const isRoot = process.env.CI !== undefined || process.getuid?.() === 0
if (!isRoot) console.warn('the example homelab-arp is not tried: only root can lay a network')
const l2Test = test.skipIf(!has('ip') || !has('curl') || !isRoot)

const example = 'examples/homelab-arp'
const nodes = ['node-1', 'node-2', 'node-3'] as const
/** Of the pool, as the README says. */
const vip = '192.168.1.249'
/** What the example's Service leads to, on node-1. */
const origin = `require('node:http').createServer((_, response) => response.end('the program on node-1')).listen(8080)`

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean()
})

function start(words: readonly string[]): ChildProcess {
  const [program = '', ...args] = words
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  cleanUp.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return child
}

l2Test(
  'a Gateway has an address of a pool, one node answers for it, and when that is killed another does within a second',
  { timeout: 120_000 },
  async () => {
    const network = await L2Network.create([...nodes, 'client'])
    cleanUp.push(() => network.close())
    const directory = await mkdtemp(join(tmpdir(), 'landfall-homelab-'))
    cleanUp.push(() => rm(directory, { recursive: true, force: true }))
    const programs = new Map<string, readonly ChildProcess[]>()
    await network.ip('client', 'address', 'add', '192.168.1.99/24', 'dev', 'eth0')
    for (const [i, node] of nodes.entries()) {
      await network.ip(node, 'address', 'add', `192.168.1.${11 + i}/24`, 'dev', 'eth0')
      await network.run(node, 'sysctl', '-qw', 'net.ipv4.ip_nonlocal_bind=1')
      const quiet = ['--no-admin', '--log-level', 'error']
      const agent = ['l2', 'agent', '-f', example, '--node', node, '--own', 'lo', '--socket', join(directory, node)]
      programs.set(node, [
        start([...network.at(node), landfall, 'serve', '-f', example, ...quiet]),
        start([...network.at(node), landfall, ...agent, ...quiet]),
      ])
    }
    start([...network.at('node-1'), process.execPath, '-e', origin])
    const curl = (): Promise<string> =>
      network.run('client', 'curl', '-s', '--connect-timeout', '0.2', '--max-time', '0.5', `http://${vip}/`)
    const macs = new Map(await Promise.all(nodes.map(async (node) => [await network.mac(node), node] as const)))
    const holder = async (): Promise<string> => macs.get((await network.neighbour('client', vip)) ?? '') ?? 'none'
    const isServedBy = async (...expected: readonly string[]): Promise<boolean> =>
      (await curl()) === 'the program on node-1' && expected.includes(await holder())
    const deadline = Date.now() + 60_000
    while (!(await isServedBy('node-3'))) {
      if (Date.now() > deadline) throw new Error('node-3 has not got the address')
      await sleep(100)
    }
    // From then on nobody doubts that it is the nodes' own.
    await sleep(1_500)
    const killed = performance.now()
    for (const program of programs.get('node-3') ?? []) program.kill('SIGKILL')
    let asked = killed
    await network.until(() => {
      asked = performance.now()
      return isServedBy('node-1', 'node-2')
    })
    expect(asked - killed).toBeLessThan(1_000)
  },
)
