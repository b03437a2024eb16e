import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { landfall } from './serve-rig.ts'

const run = promisify(execFile)

/** Milliseconds that a condition has to come true. */
const patience = 25_000
/** Milliseconds between two looks. */
const interval = 20

export const node = 'one'
export const asn = { ours: 65_001, theirs: 65_000 } as const

/** A BIRD and an agent of ours that speak to each other on loopback addresses of their own. */
export class BgpSite {
  readonly #octets = [127, randomInt(1, 255), randomInt(255)].join('.')
  readonly bird = `${this.#octets}.1`
  readonly port = 1790
  readonly #directory: string
  readonly #running = new Set<ChildProcess>()
  #agent: ChildProcess | undefined

  private constructor(directory: string) {
    this.#directory = directory
  }

  static async create(): Promise<BgpSite> {
    const directory = await mkdtemp(join(tmpdir(), 'landfall-bgp-'))
    await mkdir(join(directory, 'manifests'))
    return new BgpSite(directory)
  }

  /** An address of the agent's, one for each peer. */
  own(peer: number): string {
    return `${this.#octets}.${10 + peer}`
  }

  get socket(): string {
    return join(this.#directory, 'agent.sock')
  }

  /** `protocols` with local and neighbour addresses in place. Resolves when BIRD answers. */
  async startBird(protocols: string): Promise<void> {
    const config = join(this.#directory, 'bird.conf')
    await writeFile(config, `router id ${this.bird};\nprotocol device {}\n${protocols}\n`)
    this.#spawn('bird', ['-f', '-c', config, '-s', this.#control, '-P', join(this.#directory, 'bird.pid')])
    await this.until(() => this.birdc('show', 'status').then(() => true))
  }

  /** What BIRD itself says. */
  async birdc(...words: readonly string[]): Promise<string> {
    return (await run('birdc', ['-s', this.#control, ...words])).stdout
  }

  /** What BIRD has learned. */
  async routes(): Promise<readonly string[]> {
    const shown = await this.birdc('show', 'route')
    return [...shown.matchAll(/^([0-9a-f.:]+\/\d+)/gm)].map(([, prefix = '']) => prefix).sort()
  }

  async write(file: string, text: string): Promise<void> {
    const draft = join(this.#directory, file)
    await writeFile(draft, text)
    await rename(draft, join(this.#directory, 'manifests', file))
  }

  startAgent(): ChildProcess {
    const manifests = join(this.#directory, 'manifests')
    this.#agent = this.#spawn(landfall, [
      'bgp',
      'agent',
      '-f',
      manifests,
      '--node',
      node,
      '--socket',
      this.socket,
      '--no-admin',
    ])
    return this.#agent
  }

  /** Resolves when it has ended. */
  async stopAgent(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#agent !== undefined) await end(this.#agent, signal)
  }

  async landfall(...words: readonly string[]): Promise<string> {
    return (await run(landfall, ['bgp', ...words, '--socket', this.socket])).stdout
  }

  /** Looks until it is so. */
  async until(isSo: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + patience
    for (;;) {
      const holds = await isSo().catch(() => false)
      if (holds) return
      if (Date.now() > deadline)
        throw new Error(`still not so:\n${await this.birdc('show', 'protocols').catch(String)}`)
      await sleep(interval)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((child) => end(child, 'SIGKILL')))
    await rm(this.#directory, { recursive: true })
  }

  get #control(): string {
    return join(this.#directory, 'bird.ctl')
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] })
    this.#running.add(child)
    return child
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}
