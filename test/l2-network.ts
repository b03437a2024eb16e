import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Milliseconds that a condition has to come true, and between two looks. */
const patience = 10_000
const interval = 10

export interface L2NetworkOptions {
  /** Whether the switch sends groups of IPv6 only to who has joined them. */
  readonly isSnooping?: boolean
}

/** Machines on one switch: network namespaces with an `eth0` each, at a bridge in one more. */
export class L2Network {
  readonly #name = `lf${randomBytes(4).toString('hex')}`
  readonly #ends: readonly string[]

  private constructor(ends: readonly string[]) {
    this.#ends = ends
  }

  /** The ends have 192.0.2.1/24 and 2001:db8::1/64, 192.0.2.2/24 and …, in this order. Throws where this may not be done, which is
   *  for root. */
  static async create(ends: readonly string[], { isSnooping = false }: L2NetworkOptions = {}): Promise<L2Network> {
    const network = new L2Network(ends)
    try {
      await network.#build(isSnooping)
    } catch (error) {
      await network.close()
      throw error
    }
    return network
  }

  /** Words to put before a command that is to run there; `switch` is where the bridge is. */
  at(end: string): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.#name}-${end}`]
  }

  /** What a command there writes, also one that fails. */
  async run(end: string, ...words: readonly string[]): Promise<string> {
    const [program = '', ...args] = [...this.at(end), ...words]
    try {
      const { stdout, stderr } = await execute(program, args, { timeout: patience })
      return stdout + stderr
    } catch (error) {
      if (error instanceof Error && 'stdout' in error && 'stderr' in error) return `${error.stdout}${error.stderr}`
      throw error
    }
  }

  /** Throws where it fails. */
  async ip(end: string, ...words: readonly string[]): Promise<string> {
    return (await execute('ip', ['-n', `${this.#name}-${end}`, ...words])).stdout
  }

  async mac(end: string, link = 'eth0'): Promise<string> {
    return /link\/ether (\S+)/.exec(await this.ip(end, 'link', 'show', link))?.[1] ?? ''
  }

  /** The MAC that the kernel there has for an address; undefined: none. */
  async neighbour(end: string, address: string): Promise<string | undefined> {
    return / lladdr (\S+)/.exec(await this.ip(end, 'neighbour', 'show', address))?.[1]
  }

  /** Has the kernel there find out who has an address. */
  async resolve(end: string, address: string): Promise<string | undefined> {
    await this.ip(end, 'neighbour', 'flush', 'to', address)
    await this.run(end, 'bash', '-c', `echo > /dev/udp/${address}/9`)
    await this.until(async () => /lladdr|FAILED/.test(await this.ip(end, 'neighbour', 'show', address)))
    return this.neighbour(end, address)
  }

  /** Looks until it is so. Gives the milliseconds that it took. */
  async until(isSo: () => Promise<boolean> | boolean): Promise<number> {
    const start = performance.now()
    while (!(await isSo())) {
      if (performance.now() - start > patience) throw new Error(`still not so: ${isSo}`)
      await sleep(interval)
    }
    return performance.now() - start
  }

  async close(): Promise<void> {
    const names = [...this.#ends, 'switch'].map((end) => `${this.#name}-${end}`)
    const there = (await execute('ip', ['netns', 'list'])).stdout
    for (const name of names) if (there.includes(name)) await execute('ip', ['netns', 'delete', name])
  }

  async #build(isSnooping: boolean): Promise<void> {
    for (const end of [...this.#ends, 'switch']) await execute('ip', ['netns', 'add', `${this.#name}-${end}`])
    const snooping = isSnooping
      ? 'mcast_snooping 1 mcast_querier 1 mcast_query_response_interval 50'
      : 'mcast_snooping 0'
    await this.#batch('switch', [
      `link add bridge type bridge ${snooping}`,
      'link set bridge up',
      ...this.#ends.flatMap((end, i) => [
        `link add port${i} type veth peer name eth0 netns ${this.#name}-${end}`,
        `link set port${i} master bridge up`,
      ]),
    ])
    for (const [i, end] of this.#ends.entries())
      await this.#batch(end, [
        'link set lo up',
        'link set eth0 up',
        `address add 192.0.2.${i + 1}/24 dev eth0`,
        `address add 2001:db8::${i + 1}/64 dev eth0 nodad`,
      ])
  }

  async #batch(end: string, commands: readonly string[]): Promise<void> {
    const running = execute('ip', ['-n', `${this.#name}-${end}`, '-batch', '-'])
    running.child.stdin?.end(`${commands.join('\n')}\n`)
    await running
  }
}
