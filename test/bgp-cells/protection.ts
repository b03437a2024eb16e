import type { Cell } from './cell.ts'

const authSecretRef = 'bgp'
const password = 's3cret'

export const protectionCells: readonly Cell[] = (['agent', 'daemon'] as const)
  .map(
    (dials): Cell => ({
      name: `the right password makes a session, and a wrong or missing one none: the ${dials} dials`,
      async prove({ site, kind, expect }) {
        await site.start(kind, [
          { dials, spec: { authSecretRef }, daemon: { password } },
          { dials, spec: { authSecretRef }, daemon: { password: 'other' } },
          { dials, spec: { authSecretRef } },
          { dials, daemon: { password } },
        ])
        await site.comesUpAgain()
        expect([await site.isUp(1), await site.isUp(2), await site.isUp(3)]).toEqual([false, false, false])
      },
    }),
  )
  .concat([
    {
      name: 'TTL security on both sides makes a session, and on one none',
      async prove({ site, kind, expect }) {
        const spec = { ttlSecurity: true }
        await site.start(kind, [
          { spec, daemon: { ttlSecurity: 1 } },
          { daemon: { ttlSecurity: 1 } },
          { spec, daemon: { multihop: 1 } },
          { dials: 'daemon', spec, daemon: { ttlSecurity: 1 } },
        ])
        await site.until(() => site.isUp(3))
        await site.comesUpAgain()
        expect([await site.isUp(1), await site.isUp(2)]).toEqual([false, false])
      },
    },
    {
      name: 'a peer behind a router has a session by multihop or TTL security of two hops, and none by one hop',
      async prove({ site, kind, expect }) {
        const way = 'routed'
        await site.start(kind, [
          { way, spec: { ebgpMultihop: 2 }, daemon: { multihop: 2 } },
          { way, spec: { ebgpMultihop: 2, ttlSecurity: true }, daemon: { ttlSecurity: 2 } },
          { way, daemon: { multihop: 2 } },
          { way, spec: { ttlSecurity: true }, daemon: { ttlSecurity: 2 } },
        ])
        await site.until(() => site.isUp(1))
        await site.comesUpAgain()
        expect([await site.isUp(2), await site.isUp(3)]).toEqual([false, false])
      },
    },
    {
      name: 'a password that changes at the agent leaves sessions as they are, and with it the daemon has new ones',
      lacks: { GoBGP: 'it takes no other password while it runs' },
      async prove({ site, kind, expect }) {
        await site.start(kind, [
          { spec: { authSecretRef }, daemon: { password } },
          { dials: 'daemon', spec: { authSecretRef }, daemon: { password } },
        ])
        const both = async (): Promise<boolean> => (await site.isUp(0)) && (await site.isUp(1))
        await site.until(both)
        await site.writePassword('other')
        // From here on nothing of the agent's reaches the daemon, which would have taken a Cease.
        await site.until(async () => site.agentLog().includes('goes on with another key'))
        expect(await both()).toBe(true)
        for (const session of [0, 1]) await site.daemon.setPassword(site.neighbour(session), 'other')
        for (const session of [0, 1]) await site.comesUpAgain(session)
        expect(site.agentLog()).not.toContain('session down: stopped')
      },
    },
  ])
