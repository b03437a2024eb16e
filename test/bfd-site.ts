import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { landfall } from './serve-rig.ts'

const run = promisify(execFile)

/** Milliseconds that a condition has to come true. */
const patience = 25_000
/** Milliseconds between two looks. */
const interval = 5

export const asn = { ours: 65_001, theirs: 65_000 } as const
const port = 1790

/** How a peer is reached, and watched. */
export interface WatchedPeer {
  readonly family: 'ipv4' | 'ipv6' | 'linkLocal'
  /** Hops that both sides are told; 1: neighbours. */
  readonly hops: number
  /** BFD as this side has it; undefined: not at all. */
  readonly bfd: object | undefined
  /** Whether BIRD ends BGP when BFD is down. */
  readonly isHeeded: boolean
}

/** Milliseconds. */
export interface BirdTimers {
  readonly interval: number
  readonly multiplier: number
}

export interface BirdSession {
  /** "Up", "Init", "Down". */
  readonly state: string
  /** Since when, in milliseconds since the epoch. */
  readonly since: number
  /** Milliseconds between packets of BIRD's. */
  readonly interval: number
  /** Milliseconds without a packet of the agent's after which BIRD gives it up. */
  readonly timeout: number
}

/** An agent of ours and a BIRD that watch each other by BFD, on two machines with a wire between them. */
export class BfdSite {
  readonly #name = `bfd${randomBytes(4).toString('hex')}`
  readonly #directory: string
  readonly #running = new Set<Process>()
  #peers: readonly WatchedPeer[] = []
  #agent: Process | undefined
  #bird: Process | undefined

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Throws where this may not be done, which is for root. */
  static async create(): Promise<BfdSite> {
    const directory = await mkdtemp(join(tmpdir(), 'landfall-bfd-'))
    await mkdir(join(directory, 'manifests'))
    const site = new BfdSite(directory)
    await site.#wire()
    return site
  }

  /** Resolves when BGP and BFD are up with all peers, as BIRD sees it. */
  async start(peers: readonly WatchedPeer[], timers: BirdTimers): Promise<void> {
    this.#peers = peers
    await writeFile(this.#config, birdConfig(peers, timers))
    await this.writeManifests(peers)
    await this.startBird()
    this.startAgent()
    await this.untilUp()
  }

  async writeManifests(peers: readonly WatchedPeer[]): Promise<void> {
    await writeFile(join(this.#directory, 'manifests', 'site.json'), JSON.stringify(manifests(peers)))
  }

  async startBird(): Promise<void> {
    const words = ['bird', '-f', '-c', this.#config, '-s', this.#control, '-P', join(this.#directory, 'bird.pid')]
    this.#bird = this.#spawn('b', words)
    await this.until(() => this.birdc('show', 'status').then(() => true))
  }

  startAgent(): void {
    const socket = join(this.#directory, 'agent.sock')
    const words = ['bgp', 'agent', '-f', join(this.#directory, 'manifests'), '--node', 'one', '--socket', socket]
    this.#agent = this.#spawn('a', [landfall, ...words])
  }

  get agent(): Process {
    if (this.#agent === undefined) throw new Error('there is no agent')
    return this.#agent
  }

  get bird(): Process {
    if (this.#bird === undefined) throw new Error('there is no BIRD')
    return this.#bird
  }

  /** What BIRD itself says. */
  async birdc(...words: readonly string[]): Promise<string> {
    return (await run('birdc', ['-s', this.#control, ...words])).stdout
  }

  /** As BIRD has it: the session with a peer; undefined: it has none. */
  async bfd(peer = 0): Promise<BirdSession | undefined> {
    const { family } = this.#peers[peer] ?? { family: 'ipv4' }
    const lines = (await this.birdc('show', 'bfd', 'sessions')).split('\n').map((line) => line.trim().split(/\s+/))
    const found = lines.find(([address]) => address === addresses[family].node(peer))
    if (found === undefined) return undefined
    const [, , state = '', since, interval, timeout] = found
    return {
      state,
      since: Date.parse(`${new Date().toDateString()} ${since}`),
      interval: Number(interval) * 1000,
      timeout: Number(timeout) * 1000,
    }
  }

  async isEstablished(peer = 0): Promise<boolean> {
    return new RegExp(`^peer${peer} .*Established`, 'm').test(await this.birdc('show', 'protocols'))
  }

  async untilUp(): Promise<void> {
    for (const [index, { bfd }] of this.#peers.entries()) {
      await this.until(() => this.isEstablished(index))
      if (bfd !== undefined) await this.until(async () => (await this.bfd(index))?.state === 'Up')
    }
  }

  /** Looks until it is so. Resolves to the milliseconds that it took. */
  async until(isSo: () => Promise<boolean> | boolean): Promise<number> {
    const start = performance.now()
    while (!(await Promise.resolve(isSo()).catch(() => false))) {
      if (performance.now() - start > patience) {
        const bird = await Promise.race([this.birdc('show', 'bfd', 'sessions').catch(String), sleep(1000, 'silence')])
        throw new Error(`still not so: ${isSo}\nBIRD: ${bird}\nagent: ${this.#agent?.log.slice(-3000)}`)
      }
      await sleep(interval)
    }
    return performance.now() - start
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((process) => process.end('SIGKILL')))
    for (const end of ['a', 'b']) await run('ip', ['netns', 'delete', `${this.#name}${end}`])
    await rm(this.#directory, { recursive: true })
  }

  async #wire(): Promise<void> {
    for (const end of ['a', 'b']) await run('ip', ['netns', 'add', `${this.#name}${end}`])
    await this.#ip('a', `link add wire type veth peer name wire netns ${this.#name}b`)
    for (const [end, who] of [
      ['a', 'node'],
      ['b', 'router'],
    ] as const) {
      // Link-local addresses are the test's own.
      await this.#ip(end, 'link set wire addrgenmode none')
      for (const link of ['lo', 'wire']) await this.#ip(end, `link set ${link} up`)
      await this.#ip(end, `address add ${addresses.linkLocal[who](0)}/64 dev wire nodad`)
      for (let peer = 0; peer < MAX_PEERS; peer++) {
        await this.#ip(end, `address add ${addresses.ipv4[who](peer)}/24 dev wire`)
        await this.#ip(end, `address add ${addresses.ipv6[who](peer)}/64 dev wire nodad`)
      }
    }
  }

  async #ip(end: string, words: string): Promise<void> {
    await run('ip', ['-n', `${this.#name}${end}`, ...words.split(' ')])
  }

  #spawn(end: string, words: readonly string[]): Process {
    const process = new Process(['ip', 'netns', 'exec', `${this.#name}${end}`, ...words])
    this.#running.add(process)
    return process
  }

  get #config(): string {
    return join(this.#directory, 'bird.conf')
  }

  get #control(): string {
    return join(this.#directory, 'bird.ctl')
  }
}

class Process {
  log = ''
  readonly #child: ChildProcess

  constructor([program = '', ...words]: readonly string[]) {
    this.#child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text
    })
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill(signal)
    await exited
  }
}

const MAX_PEERS = 3

/** Each peer has addresses of its own; one alone has those of the link. */
const addresses = {
  linkLocal: { node: (_: number) => 'fe80::1', router: (_: number) => 'fe80::2' },
  ipv4: { node: (peer: number) => `10.96.0.${10 + peer}`, router: (peer: number) => `10.96.0.${100 + peer}` },
  ipv6: { node: (peer: number) => `fd96::1:${peer}`, router: (peer: number) => `fd96::2:${peer}` },
}

const zone = (family: WatchedPeer['family']): string => (family === 'linkLocal' ? '%wire' : '')

function birdConfig(peers: readonly WatchedPeer[], { interval, multiplier }: BirdTimers): string {
  const timers = `{ interval ${interval} ms; idle tx interval 1 s; multiplier ${multiplier}; }`
  const unheeded = peers.flatMap(({ family, hops, isHeeded, bfd }, index) => {
    const { node, router } = addresses[family]
    if (isHeeded || bfd === undefined) return []
    return [
      hops === 1
        ? `neighbor ${node(index)} dev "wire";`
        : `neighbor ${node(index)} local ${router(index)} multihop on;`,
    ]
  })
  const protocols = peers.map(
    ({ family, hops, isHeeded, bfd }, index) => `protocol bgp peer${index} {
  local ${addresses[family].router(index)} port ${port} as ${asn.theirs}; neighbor ${addresses[family].node(index)}${zone(family)} as ${asn.ours};
  passive on; strict bind on; ${hops === 1 ? 'direct' : `multihop ${hops}`}; bfd ${isHeeded && bfd !== undefined ? 'on' : 'off'};
  error wait time 1,2; hold time 90; ipv4 { import all; export none; extended next hop on; };
}`,
  )
  return `router id 192.0.2.2;
protocol device {}
protocol bfd bfd1 { interface "wire" ${timers}; multihop ${timers}; ${unheeded.join(' ')} }
${protocols.join('\n')}
`
}

const object = (apiVersion: string, kind: string, name: string, rest: object): object => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
})

const manifests = (peers: readonly WatchedPeer[]): object => ({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    object('v1', 'Node', 'one', { status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] } }),
    object('cilium.io/v2', 'CiliumBGPClusterConfig', 'all', {
      spec: {
        bgpInstances: [
          {
            name: 'main',
            localASN: asn.ours,
            peers: peers.map(({ family }, index) => ({
              name: `peer${index}`,
              peerAddress: `${addresses[family].router(index)}${zone(family)}`,
              peerASN: asn.theirs,
              peerConfigRef: { name: `peer${index}` },
            })),
          },
        ],
      },
    }),
    object('cilium.io/v2', 'CiliumBGPNodeConfigOverride', 'one', {
      spec: {
        bgpInstances: [
          {
            name: 'main',
            peers: peers.flatMap(({ family }, index) =>
              family === 'linkLocal' ? [] : [{ name: `peer${index}`, localAddress: addresses[family].node(index) }],
            ),
          },
        ],
      },
    }),
    ...peers.map(({ hops, bfd }, index) =>
      object('landfall.dev/v1alpha1', 'BGPPeerConfig', `peer${index}`, {
        spec: {
          transport: { peerPort: port },
          ebgpMultihop: hops,
          timers: { connectRetryTimeSeconds: 1 },
          families: [{ afi: 'ipv4', safi: 'unicast' }],
          ...(bfd === undefined ? {} : { bfd }),
        },
      }),
    ),
  ],
})
