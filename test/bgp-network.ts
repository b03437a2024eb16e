import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** How the two ends of a session reach each other: over one link by IPv4 or IPv6, or through a router between them. */
export type Way = 'link' | 'link6' | 'routed'

const MAX_SESSIONS = 8

/** Three machines: a node, a router that a daemon stands for, and one between them. Both ends have an address for each session. */
const plans: Readonly<Record<Way, Readonly<Record<'node' | 'router', (session: number) => string>>>> = {
  link: { node: (n) => `10.99.0.${10 + n}`, router: (n) => `10.99.0.${100 + n}` },
  link6: { node: (n) => `fd99::1:${n}`, router: (n) => `fd99::2:${n}` },
  routed: { node: (n) => `10.98.0.${10 + n}`, router: (n) => `10.97.0.${100 + n}` },
}

/** Network namespaces of a test's own. */
export class Network {
  readonly #name = `lf${randomBytes(4).toString('hex')}`

  /** Throws where this may not be done, which is for root. */
  static async create(): Promise<Network> {
    const network = new Network()
    await network.#build()
    return network
  }

  address(end: 'node' | 'router', way: Way, session: number): string {
    return plans[way][end](session)
  }

  /** Words to put before a command that is to run there. */
  at(end: 'node' | 'router' | 'middle'): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.#namespace(end)}`]
  }

  async close(): Promise<void> {
    for (const end of ['node', 'router', 'middle']) await run('ip', ['netns', 'delete', this.#namespace(end)])
  }

  async #build(): Promise<void> {
    for (const end of ['node', 'router', 'middle']) await run('ip', ['netns', 'add', this.#namespace(end)])
    const [router, middle] = [this.#namespace('router'), this.#namespace('middle')]
    await this.#ip('node', [
      `link add link0 type veth peer name link0 netns ${router}`,
      `link add routed type veth peer name node netns ${middle}`,
    ])
    await this.#ip('middle', [`link add router type veth peer name routed netns ${router}`])
    const sessions = Array.from({ length: MAX_SESSIONS }, (_, n) => n)
    for (const end of ['node', 'router'] as const)
      await this.#ip(end, [
        'link set lo up',
        'link set link0 up',
        'link set routed up',
        ...sessions.flatMap((n) => [
          `address add ${plans.link[end](n)}/24 dev link0`,
          `address add ${plans.link6[end](n)}/64 dev link0 nodad`,
          `address add ${plans.routed[end](n)}/24 dev routed`,
        ]),
        end === 'node' ? 'route add 10.97.0.0/24 via 10.98.0.1' : 'route add 10.98.0.0/24 via 10.97.0.1',
      ])
    await this.#ip('middle', [
      'link set lo up',
      'link set node up',
      'link set router up',
      'address add 10.98.0.1/24 dev node',
      'address add 10.97.0.1/24 dev router',
    ])
    await run('ip', ['netns', 'exec', middle, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
  }

  async #ip(end: 'node' | 'router' | 'middle', commands: readonly string[]): Promise<void> {
    const child = run('ip', ['-n', this.#namespace(end), '-batch', '-'])
    child.child.stdin?.end(`${commands.join('\n')}\n`)
    await child
  }

  #namespace(end: string): string {
    return `${this.#name}-${end}`
  }
}
