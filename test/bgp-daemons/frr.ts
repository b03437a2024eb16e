import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Daemon, DaemonKind, DaemonPlace, Neighbour, RunningProcess, SeenRoute } from './daemon.ts'
import { port, routerId } from './daemon.ts'

const program = '/usr/lib/frr/bgpd'

export const frr: DaemonKind = {
  name: 'FRR',
  programs: [program, 'vtysh'],
  create: (place) => new Frr(place),
}

class Frr implements Daemon {
  readonly #place: DaemonPlace
  #process: RunningProcess | undefined

  constructor(place: DaemonPlace) {
    this.#place = place
  }

  async start(): Promise<void> {
    const { directory, spawn, until } = this.#place
    const config = join(directory, 'frr.conf')
    await writeFile(config, configuration(this.#place))
    const files = [
      '-f',
      config,
      '-i',
      join(directory, 'bgpd.pid'),
      '-z',
      join(directory, 'zserv'),
      '--vty_socket',
      directory,
    ]
    this.#process = spawn(program, [...files, '-p', `${port}`, '-n', '-Z', '-S', '-P', '0', '--log', 'stdout'])
    await until(async () => (await this.#ask('show version')).includes('FRR'))
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#process?.end(signal)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.signal(signal)
  }

  async isUp(neighbour: Neighbour): Promise<boolean> {
    return (await this.#neighbour(neighbour)).bgpState === 'Established'
  }

  async prefixes(neighbour: Neighbour): Promise<readonly string[]> {
    return (await this.#table(neighbour)).map(({ prefix }) => prefix)
  }

  async routes(neighbour: Neighbour): Promise<ReadonlyMap<string, SeenRoute>> {
    const entries = await Promise.all(
      (await this.#table(neighbour)).map(async ({ family, prefix }) => {
        const { paths } = entry.parse(JSON.parse(await this.#ask(`show bgp ${family} unicast ${prefix} json`)))
        const path = paths.find(({ peer }) => peer.peerId === neighbour.address)
        return path === undefined ? [] : [[prefix, seen(path)] as const]
      }),
    )
    return new Map(entries.flat())
  }

  async routeCount(neighbour: Neighbour): Promise<number> {
    const { addressFamilyInfo } = await this.#neighbour(neighbour)
    return Object.values(addressFamilyInfo).reduce((sum, { acceptedPrefixCounter }) => sum + acceptedPrefixCounter, 0)
  }

  async updates(neighbour: Neighbour): Promise<number> {
    return (await this.#neighbour(neighbour)).messageStats.updatesRecv
  }

  async lastError(neighbour: Neighbour): Promise<string> {
    const { lastNotificationReason, lastShutdownDescription, lastResetDueTo } = await this.#neighbour(neighbour)
    return [lastNotificationReason, lastShutdownDescription, lastResetDueTo].filter(Boolean).join(': ')
  }

  async refresh({ families, address }: Neighbour): Promise<void> {
    for (const family of families) await this.#ask(`clear bgp ${family} unicast ${address} soft in`)
  }

  async reset({ address }: Neighbour): Promise<void> {
    await this.#ask(`clear bgp ${address}`)
  }

  /** FRR begins the session anew. */
  async setPassword({ address }: Neighbour, password: string): Promise<void> {
    await this.#ask('configure terminal', `router bgp ${this.#place.asn}`, `neighbor ${address} password ${password}`)
  }

  async #neighbour({ address }: Neighbour): Promise<z.output<typeof neighbours>[string]> {
    const shown = neighbours.parse(JSON.parse(await this.#ask(`show bgp neighbors ${address} json`)))
    const found = shown[address]
    if (found === undefined) throw new Error(`FRR has no neighbour ${address}`)
    return found
  }

  async #table({ families, address }: Neighbour): Promise<{ readonly family: string; readonly prefix: string }[]> {
    const tables = await Promise.all(
      families.map(async (family) => {
        const { routes } = table.parse(JSON.parse(await this.#ask(`show bgp ${family} unicast json`)))
        return Object.entries(routes)
          .filter(([, paths]) => paths.some(({ peerId }) => peerId === address))
          .map(([prefix]) => ({ family, prefix }))
      }),
    )
    return tables.flat()
  }

  #ask(...commands: readonly string[]): Promise<string> {
    const words = commands.flatMap((command) => ['-c', command])
    return this.#place.run('vtysh', ['--vty_socket', this.#place.directory, '-d', 'bgpd', ...words])
  }
}

function configuration({ asn, neighbours }: DaemonPlace): string {
  const lines = neighbours.flatMap((neighbour) =>
    peerLines(neighbour).map((line) => ` neighbor ${neighbour.address} ${line}`),
  )
  const families = (['ipv4', 'ipv6'] as const).flatMap((family) => [
    ` address-family ${family} unicast`,
    ...neighbours.map(
      ({ address, families }) => `  ${families.includes(family) ? '' : 'no '}neighbor ${address} activate`,
    ),
    ' exit-address-family',
  ])
  return [
    `router bgp ${asn}`,
    ` bgp router-id ${routerId}`,
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ...lines,
    ...families,
    '',
  ].join('\n')
}

function peerLines(neighbour: Neighbour): string[] {
  const { asn, local, way, isPassive, password, ttlSecurity, multihop, holdTime } = neighbour
  const isExternal = asn !== neighbour.ownAsn
  return [
    `remote-as ${asn}`,
    `update-source ${local}`,
    `port ${port}`,
    `timers ${Math.floor(holdTime / 3)} ${holdTime}`,
    'timers connect 1',
    'advertisement-interval 0',
    ...(isPassive ? ['passive'] : []),
    ...(password === undefined ? [] : [`password ${password}`]),
    ...(ttlSecurity === undefined ? [] : [`ttl-security hops ${ttlSecurity}`]),
    ...(isExternal && multihop !== undefined && ttlSecurity === undefined ? [`ebgp-multihop ${multihop}`] : []),
    'disable-connected-check',
    ...(way === 'link6' ? ['capability extended-nexthop'] : []),
  ]
}

const neighbours = z.record(
  z.string(),
  z.object({
    bgpState: z.string(),
    lastNotificationReason: z.string().optional(),
    lastShutdownDescription: z.string().optional(),
    lastResetDueTo: z.string().optional(),
    messageStats: z.object({ updatesRecv: z.number() }),
    addressFamilyInfo: z.record(z.string(), z.object({ acceptedPrefixCounter: z.number().default(0) })).default({}),
  }),
)

const table = z.object({ routes: z.record(z.string(), z.array(z.object({ peerId: z.string() }))).default({}) })

const path = z.object({
  peer: z.object({ peerId: z.string() }),
  aspath: z.object({ segments: z.array(z.object({ list: z.array(z.number()) })) }),
  nexthops: z.array(z.object({ ip: z.string(), scope: z.string().optional() })),
  med: z.number().optional(),
  metric: z.number().optional(),
  locPrf: z.number().optional(),
  community: z.object({ list: z.array(z.string()) }).optional(),
  largeCommunity: z.object({ list: z.array(z.string()) }).optional(),
  stale: z.boolean().default(false),
})

/** One that has just gone has no paths. */
const entry = z.object({ paths: z.array(path).default([]) })

/** FRR writes well-known communities by name. */
const wellKnown: Readonly<Record<string, string>> = { noExport: '65535:65281', noAdvertise: '65535:65282' }

const seen = (route: z.output<typeof path>): SeenRoute => ({
  asPath: route.aspath.segments.flatMap(({ list }) => list),
  nextHop: route.nexthops[0]?.ip ?? '',
  med: route.metric ?? route.med,
  localPreference: route.locPrf,
  communities: (route.community?.list ?? []).map((name) => wellKnown[name] ?? name),
  largeCommunities: route.largeCommunity?.list ?? [],
  isStale: route.stale,
})
