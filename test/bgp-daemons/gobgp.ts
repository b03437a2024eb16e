import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Daemon, DaemonKind, DaemonPlace, Neighbour, RunningProcess, SeenRoute } from './daemon.ts'
import { port, routerId } from './daemon.ts'

const api = '127.0.0.1:50051'

export const gobgp: DaemonKind = {
  name: 'GoBGP',
  programs: ['gobgpd', 'gobgp'],
  create: (place) => new GoBgp(place),
}

class GoBgp implements Daemon {
  readonly #place: DaemonPlace
  #process: RunningProcess | undefined

  constructor(place: DaemonPlace) {
    this.#place = place
  }

  async start(): Promise<void> {
    const { directory, spawn, until } = this.#place
    const config = join(directory, 'gobgp.json')
    await writeFile(config, JSON.stringify(configuration(this.#place)))
    this.#process = spawn('gobgpd', ['-f', config, '-t', 'json', '--api-hosts', api, '--pprof-disable'])
    await until(() => this.#ask('global').then((shown) => shown.includes(routerId)))
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#process?.end(signal)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.signal(signal)
  }

  async isUp(neighbour: Neighbour): Promise<boolean> {
    return (await this.#neighbour(neighbour)).state.session_state === ESTABLISHED
  }

  async prefixes(neighbour: Neighbour): Promise<readonly string[]> {
    return [...(await this.routes(neighbour)).keys()]
  }

  async routes({ address, families }: Neighbour): Promise<ReadonlyMap<string, SeenRoute>> {
    const all = await Promise.all(
      families.map(async (family) => table.parse(JSON.parse(await this.#ask('global', 'rib', '-a', family)))),
    )
    const entries = all.flatMap((each) => Object.entries(each))
    return new Map(
      entries.flatMap(([prefix, paths]) =>
        paths.filter((path) => path['neighbor-ip'] === address).map((path) => [prefix, seen(path)] as const),
      ),
    )
  }

  async routeCount(neighbour: Neighbour): Promise<number> {
    const { afi_safis } = await this.#neighbour(neighbour)
    return afi_safis.reduce((sum, { state }) => sum + state.received, 0)
  }

  async updates(neighbour: Neighbour): Promise<number> {
    return (await this.#neighbour(neighbour)).state.messages.received.update
  }

  /** It is in the log alone. */
  async lastError({ address }: Neighbour): Promise<string> {
    const lines = this.#log().filter((line) => line.includes(`"${address}"`) && /notification|reason/i.test(line))
    return lines.at(-1) ?? ''
  }

  async refresh({ address }: Neighbour): Promise<void> {
    await this.#ask('neighbor', address, 'softresetin')
  }

  async reset({ address }: Neighbour): Promise<void> {
    await this.#ask('neighbor', address, 'disable')
    await this.#ask('neighbor', address, 'enable')
  }

  async setPassword({ name }: Neighbour, password: string): Promise<void> {
    throw new Error(`GoBGP sets no new password of ${name}, ${password.length} octets, while it runs`)
  }

  async #neighbour({ address }: Neighbour): Promise<z.output<typeof neighbour>> {
    return neighbour.parse(JSON.parse(await this.#ask('neighbor', address)))
  }

  #log(): readonly string[] {
    return (this.#process?.log() ?? '').split('\n')
  }

  #ask(...words: readonly string[]): Promise<string> {
    const [host = '', apiPort = ''] = api.split(':')
    return this.#place.run('gobgp', ['-u', host, '-p', apiPort, '-j', ...words])
  }
}

const ESTABLISHED = 6

const configuration = ({ asn, neighbours }: DaemonPlace): object => ({
  global: { config: { as: asn, 'router-id': routerId, port } },
  neighbors: neighbours.map((each) => ({
    config: {
      'neighbor-address': each.address,
      'peer-as': each.asn,
      ...(each.password === undefined ? {} : { 'auth-password': each.password }),
    },
    timers: {
      config: {
        'hold-time': each.holdTime,
        'keepalive-interval': Math.floor(each.holdTime / 3),
        'connect-retry': 1,
        'idle-hold-time-after-reset': 1,
      },
    },
    transport: { config: { 'passive-mode': each.isPassive, 'local-address': each.local, 'remote-port': port } },
    ...(each.multihop === undefined || each.ttlSecurity !== undefined || each.asn === each.ownAsn
      ? {}
      : { 'ebgp-multihop': { config: { enabled: true, 'multihop-ttl': each.multihop } } }),
    ...(each.ttlSecurity === undefined
      ? {}
      : { 'ttl-security': { config: { enabled: true, 'ttl-min': 256 - each.ttlSecurity } } }),
    'graceful-restart': { config: { enabled: true, 'helper-only': true, 'restart-time': 120 } },
    'afi-safis': each.families.map((family) => ({
      config: { 'afi-safi-name': `${family}-unicast` },
      'mp-graceful-restart': { config: { enabled: true } },
    })),
  })),
})

const neighbour = z.object({
  state: z.object({
    session_state: z.number().default(0),
    messages: z.object({ received: z.object({ update: z.number().default(0) }).prefault({}) }).prefault({}),
  }),
  afi_safis: z.array(z.object({ state: z.object({ received: z.number().default(0) }).prefault({}) })).default([]),
})

/** By the attribute's type code, of RFC 4271 and on. */
const attribute = z.object({
  type: z.number(),
  value: z.union([z.number(), z.array(z.unknown())]).optional(),
  nexthop: z.string().optional(),
  metric: z.number().optional(),
  communities: z.array(z.number()).optional(),
  as_paths: z.array(z.object({ asns: z.array(z.number()) })).optional(),
})

const largeCommunities = z.array(z.object({ ASN: z.number(), LocalData1: z.number(), LocalData2: z.number() }))

const path = z.object({
  'neighbor-ip': z.string().optional(),
  attrs: z.array(attribute),
  stale: z.boolean().default(false),
})
const table = z.record(z.string(), z.array(path))

function seen({ attrs, stale }: z.output<typeof path>): SeenRoute {
  const one = (type: number) => attrs.find((each) => each.type === type)
  const preference = one(5)?.value
  const large = largeCommunities.safeParse(one(32)?.value)
  return {
    asPath: one(2)?.as_paths?.flatMap(({ asns }) => asns) ?? [],
    nextHop: one(14)?.nexthop ?? one(3)?.nexthop ?? '',
    med: one(4)?.metric,
    localPreference: typeof preference === 'number' ? preference : undefined,
    communities: (one(8)?.communities ?? []).map((value) => `${value >>> 16}:${value & 0xffff}`),
    largeCommunities: large.data?.map((each) => `${each.ASN}:${each.LocalData1}:${each.LocalData2}`) ?? [],
    isStale: stale,
  }
}
