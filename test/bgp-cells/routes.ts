import { crowd, pods, web } from '../bgp-manifests.ts'
import type { Cell } from './cell.ts'

const CROWD = 100

export const routeCells: readonly Cell[] = [
  {
    name: '100,000 routes arrive, and one that goes is withdrawn alone',
    async prove({ site, kind, expect }) {
      const services = Array.from({ length: CROWD }, (_, n) => crowd(n, 1000))
      await site.writeList('crowd.json', services)
      await site.start(kind, [{ daemon: { holdTime: 90 }, spec: { timers: {} } }])
      const counts = (count: number): Promise<void> =>
        site.until(async () => (await site.daemon.routeCount(site.neighbour())) === count)
      await counts(CROWD * 1000 + pods.length)
      const before = await site.daemon.updates(site.neighbour())
      await site.writeList('crowd.json', [...services.slice(1), crowd(0, 999)])
      await counts(CROWD * 1000 + pods.length - 1)
      expect((await site.daemon.updates(site.neighbour())) - before).toBeLessThan(2)
    },
  },
  {
    name: 'routes of both families arrive with all that is said of them',
    async prove({ site, kind, expect }) {
      await site.writeEndpoint(true)
      await site.start(kind, [{}])
      await site.learns([...pods, ...web])
      const routes = await site.daemon.routes(site.neighbour())
      const described = {
        asPath: [65_001, 65_001, 65_001],
        med: 50,
        communities: ['65001:100', '65535:65281'],
        largeCommunities: ['65001:1:2'],
        isStale: false,
      }
      expect(routes.get(web[0])).toMatchObject({ ...described, nextHop: site.address('node') })
      // Over an IPv4 session: an IPv6 address of the same interface.
      expect(routes.get(web[1])).toMatchObject({ ...described, nextHop: expect.stringMatching(/^fd99::1:\d$/) })
      expect(routes.get(pods[0])).toMatchObject({ asPath: [65_001], med: undefined, communities: [] })
      expect(await site.landfall('peers')).toMatch(
        /one +65001 +65000 +10\.\S+ +established +\S+ +ipv4\/unicast +\d +2\n +ipv6\/unicast +\d +2\n/,
      )
    },
  },
  {
    name: 'a Service whose last local endpoint goes is withdrawn, and announced when it is back',
    async prove({ site, kind }) {
      await site.writeEndpoint(true)
      await site.start(kind, [{}])
      await site.learns([...pods, ...web])
      await site.writeEndpoint(false)
      await site.learns(pods)
      await site.writeEndpoint(true)
      await site.learns([...pods, ...web])
    },
  },
  {
    name: 'IPv4 routes travel over an IPv6 session with IPv6 next hops',
    async prove({ site, kind, expect }) {
      await site.start(kind, [{ way: 'link6' }])
      await site.learns(pods)
      const routes = await site.daemon.routes(site.neighbour())
      for (const prefix of pods) expect(routes.get(prefix)?.nextHop).toBe(site.address('node'))
    },
  },
  {
    name: 'AS numbers may need four octets',
    async prove({ site, kind, expect }) {
      const ours = 4_200_000_001
      await site.start(kind, [{ agentAsn: ours }], 4_200_000_000)
      await site.learns(pods)
      expect((await site.daemon.routes(site.neighbour())).get(pods[0])?.asPath).toEqual([ours])
    },
  },
  {
    name: 'inside an AS the local preference goes along, and the AS path is empty',
    async prove({ site, kind, expect }) {
      await site.writeEndpoint(true)
      await site.start(kind, [{ agentAsn: 65_000 }], 65_000)
      await site.learns([...pods, ...web])
      const routes = await site.daemon.routes(site.neighbour())
      expect(routes.get(web[0])).toMatchObject({ asPath: [], localPreference: 250, med: 50 })
      expect(routes.get(pods[1])).toMatchObject({ asPath: [], localPreference: 100 })
    },
  },
  {
    name: 'routes are sent again when the daemon asks',
    lacks: { GoBGP: 'it keeps all that it has got, and never asks' },
    async prove({ site, kind, expect }) {
      await site.start(kind, [{}])
      await site.learns(pods)
      const before = await site.daemon.updates(site.neighbour())
      await site.daemon.refresh(site.neighbour())
      await site.until(async () => (await site.daemon.updates(site.neighbour())) > before)
      expect([await site.isUp(), await site.prefixes()]).toEqual([true, pods])
    },
  },
]
