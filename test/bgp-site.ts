import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Daemon, type DaemonKind, type Neighbour, port, type RunningProcess } from './bgp-daemons/daemon.ts'
import { advertisement, cluster, list, peerConfig, secret, service, slice } from './bgp-manifests.ts'
import { Network, type Way } from './bgp-network.ts'
import { landfall } from './serve-rig.ts'

const execute = promisify(execFile)

/** Milliseconds that a condition has to come true. */
const patience = 25_000
/** Milliseconds between two looks. */
const interval = 100
/** Characters of a log that are kept. */
const MAX_LOG = 1_000_000

export const asn = { ours: 65_001, theirs: 65_000 } as const

/** A session, as both ends are to know it. */
export interface Session {
  readonly way?: Way
  /** Who opens the connection. */
  readonly dials?: 'agent' | 'daemon' | 'both'
  readonly agentAsn?: number
  /** What the agent is told of the daemon's AS. */
  readonly expectedAsn?: number
  /** More of BGPPeerConfig.spec. */
  readonly spec?: object
  /** More of what the daemon is told. */
  readonly daemon?: Partial<Neighbour>
}

/** A daemon and an agent of ours that speak to each other in a network of their own. */
export class BgpSite {
  readonly #network: Network
  readonly #directory: string
  readonly #running = new Set<Process>()
  #agent: Process | undefined
  #daemon: Daemon | undefined
  #sessions: readonly Required<Pick<Session, 'way' | 'dials'>>[] = []
  #neighbours: readonly Neighbour[] = []

  private constructor(directory: string, network: Network) {
    this.#directory = directory
    this.#network = network
  }

  static async create(): Promise<BgpSite> {
    const network = await Network.create()
    const directory = await mkdtemp(join(tmpdir(), 'landfall-bgp-'))
    await mkdir(join(directory, 'manifests'))
    return new BgpSite(directory, network)
  }

  /** A daemon and an agent with these sessions. Resolves when both are on their way. */
  async start(kind: DaemonKind, sessions: readonly Session[], daemonAsn: number = asn.theirs): Promise<void> {
    this.#neighbours = sessions.map((session, index) => this.#neighbour(session, index, daemonAsn))
    await this.#writeSessions(sessions, daemonAsn)
    this.#daemon = kind.create({
      directory: this.#directory,
      asn: daemonAsn,
      neighbours: this.#neighbours,
      run: async (command, args) => {
        const [program = '', ...words] = [...this.#network.at('router'), command, ...args]
        return (await execute(program, words, { maxBuffer: 1 << 28 })).stdout
      },
      spawn: (command, args) => this.#spawn([...this.#network.at('router'), command, ...args]),
      until: (isSo) => this.until(isSo),
    })
    await this.#daemon.start()
    this.startAgent()
  }

  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error('no daemon is started')
    return this.#daemon
  }

  /** The agent of one session, as the daemon knows it. */
  neighbour(session = 0): Neighbour {
    const found = this.#neighbours[session]
    if (found === undefined) throw new Error(`there is no session ${session}`)
    return found
  }

  /** The address that the agent has for a session, or the daemon. */
  address(end: 'node' | 'router', session = 0, way: Way = this.#sessions[session]?.way ?? 'link'): string {
    return this.#network.address(end, way, session)
  }

  isUp(session = 0): Promise<boolean> {
    return this.daemon.isUp(this.neighbour(session))
  }

  /** Prefixes that the daemon has learned. */
  async prefixes(session = 0): Promise<readonly string[]> {
    return [...(await this.daemon.prefixes(this.neighbour(session)))].sort()
  }

  /** Resolves when the daemon has these prefixes and no others. */
  learns(prefixes: readonly string[], session = 0): Promise<void> {
    const wanted = prefixes.toSorted().join()
    return this.until(async () => (await this.prefixes(session)).join() === wanted)
  }

  /** Which is time enough for any other session to come up. */
  async comesUpAgain(session = 0): Promise<void> {
    await this.until(() => this.isUp(session))
    await this.daemon.reset(this.neighbour(session))
    await this.until(async () => !(await this.isUp(session)))
    await this.until(() => this.isUp(session))
  }

  async write(file: string, text: string): Promise<void> {
    const draft = join(this.#directory, file)
    await writeFile(draft, text)
    await rename(draft, join(this.#directory, 'manifests', file))
  }

  async writeList(file: string, items: readonly object[]): Promise<void> {
    await this.write(file, JSON.stringify(list(items)))
  }

  /** Whether the Service "web" has an endpoint on this node. */
  async writeEndpoint(isReady: boolean): Promise<void> {
    await this.write('slice.json', JSON.stringify(slice(isReady)))
  }

  async writePassword(password: string): Promise<void> {
    await this.write('secret.json', JSON.stringify(secret(password)))
  }

  startAgent(): void {
    const manifests = join(this.#directory, 'manifests')
    const words = ['bgp', 'agent', '-f', manifests, '--node', 'one', '--socket', this.#socket, '--no-admin']
    this.#agent = this.#spawn([...this.#network.at('node'), landfall, ...words])
  }

  /** Resolves when it has ended. */
  async stopAgent(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#agent?.end(signal)
  }

  signalAgent(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#agent?.signal(signal)
  }

  agentLog(): string {
    return this.#agent?.log() ?? ''
  }

  async landfall(...words: readonly string[]): Promise<string> {
    return (await execute(landfall, ['bgp', ...words, '--socket', this.#socket])).stdout
  }

  /** Runs beside the agent or the daemon. */
  async run(end: 'node' | 'router', ...words: readonly string[]): Promise<string> {
    const [program = '', ...args] = [...this.#network.at(end), ...words]
    return (await execute(program, args)).stdout
  }

  /** Looks until it is so. */
  async until(isSo: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + patience
    let failure: unknown
    for (;;) {
      const holds = await isSo().catch((error: unknown) => {
        failure = error
        return false
      })
      if (holds) return
      if (Date.now() > deadline)
        throw new Error(
          `still not so; ${failure}\nagent: ${this.agentLog()}\ndaemon: ${[...this.#running][0]?.log().slice(-3000)}`,
        )
      await sleep(interval)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((process) => process.end('SIGKILL')))
    await this.#network.close()
    await rm(this.#directory, { recursive: true })
  }

  get #socket(): string {
    return join(this.#directory, 'agent.sock')
  }

  #neighbour({ way = 'link', dials = 'agent', agentAsn, daemon }: Session, index: number, ownAsn: number): Neighbour {
    return {
      name: `peer${index}`,
      address: this.#network.address('node', way, index),
      local: this.#network.address('router', way, index),
      way,
      asn: agentAsn ?? asn.ours,
      ownAsn,
      isPassive: dials === 'agent',
      password: undefined,
      ttlSecurity: undefined,
      multihop: undefined,
      holdTime: 9,
      families: ['ipv4', 'ipv6'],
      ...daemon,
    }
  }

  /** Sessions of one AS of ours make an instance. */
  async #writeSessions(sessions: readonly Session[], daemonAsn: number): Promise<void> {
    this.#sessions = sessions.map(({ way = 'link', dials = 'agent' }) => ({ way, dials }))
    const peers = this.#neighbours.map(({ name, local, address, asn: agentAsn }, index) => ({
      name,
      address: local,
      own: address,
      agentAsn,
      asn: sessions[index]?.expectedAsn ?? daemonAsn,
      listens: (sessions[index]?.dials ?? 'agent') !== 'agent',
    }))
    const configs = sessions.map(({ dials, spec = {} }, index) =>
      peerConfig(`peer${index}`, { ...(dials === 'daemon' ? { passive: true } : {}), ...spec }),
    )
    await this.writePassword('s3cret')
    await this.writeList('site.json', [...cluster(peers, port), ...configs, advertisement, service])
  }

  #spawn(words: readonly string[]): Process {
    const process = new Process(words)
    this.#running.add(process)
    return process
  }
}

class Process implements RunningProcess {
  readonly #child: ChildProcess
  #log = ''

  constructor([program = '', ...args]: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-MAX_LOG)
      })
  }

  log(): string {
    return this.#log
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
