import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Daemon, DaemonKind, DaemonPlace, Neighbour, RunningProcess, SeenRoute } from './daemon.ts'
import { port, routerId } from './daemon.ts'

export const bird: DaemonKind = {
  name: 'BIRD',
  programs: ['bird', 'birdc'],
  create: (place) => new Bird(place),
}

class Bird implements Daemon {
  readonly #place: DaemonPlace
  #process: RunningProcess | undefined
  #neighbours: readonly Neighbour[]

  constructor(place: DaemonPlace) {
    this.#place = place
    this.#neighbours = place.neighbours
  }

  async start(): Promise<void> {
    const { directory, spawn, until } = this.#place
    await this.#configure(this.#neighbours)
    this.#process = spawn('bird', ['-f', '-c', this.#config, '-s', this.#control, '-P', join(directory, 'bird.pid')])
    await until(() => this.#ask('show', 'status').then(() => true))
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#process?.end(signal)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.signal(signal)
  }

  async isUp({ name }: Neighbour): Promise<boolean> {
    return new RegExp(`^${name} .*Established`, 'm').test(await this.#ask('show', 'protocols'))
  }

  async prefixes({ name }: Neighbour): Promise<readonly string[]> {
    const shown = await this.#ask('show', 'route', 'protocol', name)
    return [...shown.matchAll(/^([0-9a-f.:]+\/\d+)/gm)].map(([, prefix = '']) => prefix)
  }

  async routes({ name }: Neighbour): Promise<ReadonlyMap<string, SeenRoute>> {
    const isStale = (await this.#ask('show', 'protocols', 'all', name)).includes('graceful restart active')
    return new Map(readRoutes(await this.#ask('show', 'route', 'all', 'protocol', name), isStale))
  }

  async routeCount({ name }: Neighbour): Promise<number> {
    const shown = await this.#ask('show', 'route', 'protocol', name, 'count')
    return [...shown.matchAll(/^(\d+) of/gm)].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  async updates({ name }: Neighbour): Promise<number> {
    const shown = await this.#ask('show', 'protocols', 'all', name)
    return [...shown.matchAll(/Import updates: +(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  async lastError({ name }: Neighbour): Promise<string> {
    const shown = await this.#ask('show', 'protocols', 'all', name)
    return [...shown.matchAll(/(?:Last error|Message): +(.*)/g)].map(([, text]) => text).join(': ')
  }

  async refresh({ name }: Neighbour): Promise<void> {
    await this.#ask('reload', 'in', name)
  }

  async reset({ name }: Neighbour): Promise<void> {
    await this.#ask('restart', name)
  }

  /** BIRD begins the session anew. */
  async setPassword({ name }: Neighbour, password: string): Promise<void> {
    this.#neighbours = this.#neighbours.map((each) => (each.name === name ? { ...each, password } : each))
    await this.#configure(this.#neighbours)
    await this.#ask('configure')
  }

  #ask(...words: readonly string[]): Promise<string> {
    return this.#place.run('birdc', ['-s', this.#control, ...words])
  }

  #configure(neighbours: readonly Neighbour[]): Promise<void> {
    const protocols = neighbours.map(protocol).join('\n')
    return writeFile(this.#config, `router id ${routerId};\nprotocol device {}\n${protocols}\n`)
  }

  get #config(): string {
    return join(this.#place.directory, 'bird.conf')
  }

  get #control(): string {
    return join(this.#place.directory, 'bird.ctl')
  }
}

function protocol(neighbour: Neighbour): string {
  const { name, address, local, way, asn, ownAsn, isPassive, password, ttlSecurity, multihop, holdTime } = neighbour
  const hops = multihop ?? ttlSecurity
  const channel = (family: string): string => `${family} { import all; export none; extended next hop on; };`
  return `protocol bgp ${name} {
  local ${local} port ${port} as ${ownAsn}; neighbor ${address} port ${port} as ${asn};
  passive ${isPassive ? 'on' : 'off'}; error wait time 1,2; connect delay time 1; connect retry time 1; hold time ${holdTime};
  graceful restart aware; ${way === 'routed' || hops !== undefined ? `multihop ${hops ?? 4};` : 'direct;'}
  ${ttlSecurity === undefined ? '' : 'ttl security on;'} ${password === undefined ? '' : `password "${password}";`}
  ${neighbour.families.map(channel).join(' ')}
}`
}

function* readRoutes(shown: string, isStale: boolean): Generator<[string, SeenRoute]> {
  // Each begins at the left with its prefix, and what is said of it is indented.
  for (const block of shown.split(/^(?=[0-9a-f:.]+\/\d)/m)) {
    const prefix = /^[0-9a-f:.]+\/\d+/.exec(block)?.[0]
    if (prefix === undefined) continue
    const said = (attribute: string): string => new RegExp(`BGP\\.${attribute}: (.*)`).exec(block)?.[1]?.trim() ?? ''
    const numbers = (attribute: string): number[] => (said(attribute).match(/\d+/g) ?? []).map(Number)
    const tuples = (attribute: string): string[] =>
      [...said(attribute).matchAll(/\(([^)]*)\)/g)].map(([, inner = '']) => inner.replace(/, ?/g, ':'))
    yield [
      prefix,
      {
        asPath: numbers('as_path'),
        nextHop: said('next_hop').split(' ')[0] ?? '',
        med: numbers('med')[0],
        localPreference: numbers('local_pref')[0],
        communities: tuples('community'),
        largeCommunities: tuples('large_community'),
        isStale,
      },
    ]
  }
}
