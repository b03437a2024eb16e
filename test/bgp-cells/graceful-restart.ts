import { setTimeout as sleep } from 'node:timers/promises'
import { pods, web } from '../bgp-manifests.ts'
import type { Cell, Stage } from './cell.ts'

export const gracefulRestartCells: readonly Cell[] = [
  {
    name: 'with graceful restart no route is lost while the agent is killed or stopped and comes back',
    async prove({ site, kind, expect }) {
      await site.writeEndpoint(true)
      await site.start(kind, [{ spec: { gracefulRestart: { enabled: true } } }])
      await site.learns([...pods, ...web])
      const seen = await watched(site, async () => {
        for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
          await site.stopAgent(signal)
          await site.until(async () => !(await site.isUp()))
          site.startAgent()
          await site.until(() => site.isUp())
          await site.until(async () => (await stale(site)).every((isStale) => !isStale))
        }
      })
      expect([...seen]).toEqual([[...pods, ...web].sort().join(' ')])
    },
  },
  {
    name: 'routes of an agent that does not come back go when the restart time is over',
    async prove({ site, kind, expect }) {
      await site.start(kind, [{ spec: { gracefulRestart: { enabled: true, restartTimeSeconds: 2 } } }])
      await site.learns(pods)
      await site.stopAgent('SIGKILL')
      await site.until(async () => !(await site.isUp()))
      expect(await stale(site)).toEqual([true, true])
      await site.learns([])
    },
  },
]

const stale = async (site: Stage['site']): Promise<readonly boolean[]> =>
  [...(await site.daemon.routes(site.neighbour())).values()].map(({ isStale }) => isStale)

/** All that the daemon had at any time while `act` went on. */
async function watched(site: Stage['site'], act: () => Promise<void>): Promise<ReadonlySet<string>> {
  const seen = new Set<string>()
  let isOver = false
  const watching = (async () => {
    while (!isOver) {
      const prefixes = await site.prefixes()
      seen.add(prefixes.join(' '))
      await sleep(10)
    }
  })()
  try {
    await act()
  } finally {
    isOver = true
    await watching
  }
  return seen
}
