import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { L2Status } from '../bgp-agent/l2/l2-status.ts'
import { L2Network } from './l2-network.ts'
import { has, landfall } from './serve-rig.ts'

// In CI nothing is passed over: there it fails for who may not make namespaces.
const isRoot = process.env.CI !== undefined || process.getuid?.() === 0
if (!isRoot) console.warn('elections are not tried: only root can lay a network')
const l2Test = test.skipIf(!has('ip') || !isRoot)

const nodes = ['node-1', 'node-2', 'node-3'] as const
const vip = '192.0.2.200'
/** Milliseconds for three agents to start on a machine that is busy. */
const patience = 60_000

const manifests = (policy: string): string => `
apiVersion: v1
kind: Secret
metadata: { name: landfall-l2, namespace: kube-system }
stringData: { key: 0123456789abcdef }
---
apiVersion: v1
kind: Node
metadata: { name: node-1, labels: { first: "yes" } }
---
apiVersion: landfall.dev/v1alpha1
kind: L2AnnouncementPolicy
metadata: { name: lan }
spec:
  interfaces: ["^eth0$"]
  preferredNodes: [{ weight: 1, nodeSelector: { matchLabels: { first: "yes" } } }]
  ${policy}
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
status: { loadBalancer: { ingress: [{ ip: ${vip} }] } }
`

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean()
})

function start(words: readonly string[]): ChildProcess {
  const [program = '', ...args] = words
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUp.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return child
}

interface Answer {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly mac: string
}

/** Three agents on one switch, the first of them preferred, and a client that asks for the address all the time. */
class Site {
  readonly network: L2Network
  readonly directory: string
  readonly answers: Answer[] = []
  readonly agents = new Map<string, ChildProcess>()
  readonly #macs = new Map<string, string>()

  private constructor(network: L2Network, directory: string) {
    this.network = network
    this.directory = directory
  }

  static async create(policy = ''): Promise<Site> {
    const network = await L2Network.create([...nodes, 'client'])
    cleanUp.push(() => network.close())
    const directory = await mkdtemp(join(tmpdir(), 'landfall-l2-'))
    cleanUp.push(() => rm(directory, { recursive: true, force: true }))
    await writeFile(join(directory, 'lan.yaml'), manifests(policy))
    const site = new Site(network, directory)
    for (const node of nodes) site.#macs.set(await network.mac(node), node)
    return site
  }

  start(node: string): void {
    const words = ['l2', 'agent', '-f', this.directory, '--node', node, '--socket', this.#socket(node), '--no-admin']
    this.agents.set(node, start([...this.network.at(node), landfall, ...words, '--log-level', 'error']))
  }

  /** Once the address is answered for by the preferred node, and all know each other. */
  async settled(others: readonly string[] = nodes): Promise<void> {
    const isSettled = async (node: string): Promise<boolean> => {
      const status = await this.status(node).catch(() => undefined)
      const alive = status?.networks[0]?.peers.filter(({ state }) => state === 'alive') ?? []
      const [address] = status?.addresses ?? []
      const expected = node === 'node-1' ? 'answering' : 'standby'
      return alive.length === nodes.length - 1 && address?.state === expected && address.owner === 'node-1'
    }
    const until = Date.now() + patience
    while (!(await Promise.all(others.map(isSettled))).every((is) => is)) {
      if (Date.now() > until) throw new Error('the agents have not met')
      await sleep(50)
    }
  }

  async ask(): Promise<void> {
    const index = /^(\d+):/.exec(await this.network.ip('client', '-o', 'link', 'show', 'eth0'))?.[1] ?? ''
    const words = [index, await this.network.mac('client'), '192.0.2.4', vip]
    const script = join(import.meta.dirname, 'l2-asker.ts')
    const { stdout } = start([...this.network.at('client'), process.execPath, script, ...words])
    if (stdout === null) return
    createInterface({ input: stdout }).on('line', (line) => {
      const [at = '', mac = ''] = line.split(' ')
      this.answers.push({ at: Number(at), mac })
    })
    while (this.answers.length === 0) await sleep(10)
  }

  async status(node: string): Promise<L2Status> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ socketPath: this.#socket(node), path: '/status' }, resolve).on('error', reject)
    })
    return JSON.parse(await text(response))
  }

  /** The longest time without any answer since then. */
  longestGap(since: number): number {
    const times = this.answers.filter(({ at }) => at >= since).map(({ at }) => at)
    return Math.max(...times.map((at, index) => at - (times[index - 1] ?? since)))
  }

  /** Who has answered between these times. */
  whoAnswered(from: number, to: number): readonly string[] {
    const during = this.answers.filter(({ at }) => at >= from && at < to)
    return [...new Set(during.map(({ mac }) => this.#macs.get(mac) ?? mac))].sort()
  }

  #socket(node: string): string {
    return join(this.directory, `${node}.sock`)
  }
}

async function startedSite(policy?: string): Promise<Site> {
  const site = await Site.create(policy)
  for (const node of nodes) site.start(node)
  await site.settled()
  await site.ask()
  // From then on nobody doubts that it is the nodes' own.
  await sleep(1_000)
  return site
}

l2Test.for<[string, string, number]>([
  ['default', '', 1_000],
  ['fast', 'timers: fast', 300],
])('a holder that is killed is replaced in time with timers %s', { timeout: 120_000 }, async ([, policy, most]) => {
  const site = await startedSite(policy)
  const killed = Date.now()
  site.agents.get('node-1')?.kill('SIGKILL')
  await sleep(2_000)
  expect(site.longestGap(killed)).toBeLessThan(most)
  expect(site.whoAnswered(killed + most, killed + 2_000)).toHaveLength(1)
  // It comes back, and nobody is left without an answer.
  const back = Date.now()
  site.start('node-1')
  await site.settled()
  await sleep(1_000)
  expect(site.longestGap(back)).toBeLessThan(200)
  expect(site.whoAnswered(Date.now() - 500, Date.now())).toEqual(['node-1'])
})

l2Test('a holder that is stopped hands over without a break', { timeout: 120_000 }, async () => {
  const site = await startedSite()
  const stopped = Date.now()
  site.agents.get('node-1')?.kill('SIGTERM')
  await sleep(2_000)
  expect(site.longestGap(stopped)).toBeLessThan(200)
  expect(site.whoAnswered(stopped + 500, stopped + 2_000)).toHaveLength(1)
})

l2Test('a network that was cut has one holder within a second after it heals', { timeout: 120_000 }, async () => {
  const site = await startedSite()
  const cut = Date.now()
  await site.network.ip('switch', 'link', 'set', 'port0', 'type', 'bridge_slave', 'isolated', 'on')
  // Isolated ports hear those alone that are not: the client's is none, so that it hears both sides.
  for (const port of ['port1', 'port2'])
    await site.network.ip('switch', 'link', 'set', port, 'type', 'bridge_slave', 'isolated', 'on')
  await sleep(3_000)
  expect(site.whoAnswered(cut + 1_500, cut + 3_000).length).toBeGreaterThan(1)
  const healed = Date.now()
  for (const port of ['port0', 'port1', 'port2'])
    await site.network.ip('switch', 'link', 'set', port, 'type', 'bridge_slave', 'isolated', 'off')
  await sleep(3_000)
  expect(site.whoAnswered(healed + 1_000, healed + 3_000)).toEqual(['node-1'])
  expect(site.longestGap(cut)).toBeLessThan(1_000)
})

l2Test('a holder that is frozen gives up what others have when it goes on', { timeout: 120_000 }, async () => {
  const site = await startedSite()
  const frozen = Date.now()
  site.agents.get('node-1')?.kill('SIGSTOP')
  await sleep(3_000)
  const goesOn = Date.now()
  site.agents.get('node-1')?.kill('SIGCONT')
  await sleep(2_000)
  expect(site.longestGap(frozen)).toBeLessThan(1_000)
  expect(site.whoAnswered(goesOn + 1_000, goesOn + 2_000)).toEqual(['node-1'])
})

l2Test('a main thread that stands still loses no address', { timeout: 120_000 }, async () => {
  const site = await Site.create('timers: fast')
  for (const node of nodes.slice(1)) site.start(node)
  const script = join(import.meta.dirname, 'l2-blocked-agent.ts')
  const blocked = start([...site.network.at('node-1'), process.execPath, script, site.directory, 'node-1', '3000'])
  await site.settled(nodes.slice(1))
  await site.ask()
  const since = Date.now()
  blocked.kill('SIGUSR2')
  await sleep(3_500)
  expect(site.whoAnswered(since, Date.now())).toEqual(['node-1'])
  expect(site.longestGap(since)).toBeLessThan(100)
})
