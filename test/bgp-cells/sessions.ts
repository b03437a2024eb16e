import { setTimeout as sleep } from 'node:timers/promises'
import { pods } from '../bgp-manifests.ts'
import type { Cell } from './cell.ts'

const shortHold = { timers: { connectRetryTimeSeconds: 1, holdTimeSeconds: 3, keepAliveTimeSeconds: 1 } }

export const sessionCells: readonly Cell[] = [
  {
    name: 'a daemon that is stopped is given up when the hold time is over, and gets all routes when it goes on',
    async prove({ site, kind }) {
      await site.start(kind, [{ spec: shortHold }])
      await site.learns(pods)
      site.daemon.signal('SIGSTOP')
      await site.until(async () => site.agentLog().includes('session down: the hold timer expired'))
      site.daemon.signal('SIGCONT')
      await site.until(async () => /hold[- ]timer[- ]expired/i.test(await site.daemon.lastError(site.neighbour())))
      // Until then it may still have routes of the session that went down.
      await site.until(() => site.isUp())
      await site.learns(pods)
    },
  },
  {
    name: 'an agent that is stopped loses its routes when the hold time is over, and is back when it goes on',
    async prove({ site, kind }) {
      await site.start(kind, [{ spec: shortHold, daemon: { holdTime: 3 } }])
      await site.learns(pods)
      site.signalAgent('SIGSTOP')
      await site.learns([])
      site.signalAgent('SIGCONT')
      await site.learns(pods)
    },
  },
  {
    name: 'where both dial there is one session, and it stays',
    async prove({ site, kind, expect }) {
      await site.start(kind, [{ dials: 'both' }])
      await site.comesUpAgain()
      await site.learns(pods)
      const ups = (): number => site.agentLog().split('session up').length
      const before = ups()
      await sleep(1500)
      expect([await site.isUp(), ups()]).toEqual([true, before])
    },
  },
  {
    name: 'a daemon that is killed gets all routes when it is back',
    async prove({ site, kind }) {
      await site.start(kind, [{}])
      await site.learns(pods)
      await site.daemon.stop('SIGKILL')
      await site.daemon.start()
      await site.learns(pods)
    },
  },
  {
    name: 'an agent that ends tells the peer why, and its routes go',
    async prove({ site, kind, expect }) {
      await site.start(kind, [{}])
      await site.learns(pods)
      await site.stopAgent('SIGTERM')
      await site.learns([])
      expect(await site.daemon.lastError(site.neighbour())).toMatch(/administrative shutdown/i)
    },
  },
  {
    name: 'a peer of another AS is told so',
    lacks: { GoBGP: 'it keeps no NOTIFICATION that comes before the session is up' },
    async prove({ site, kind }) {
      await site.start(kind, [{ dials: 'daemon', expectedAsn: 65_009 }])
      await site.until(async () => /bad peer as/i.test(await site.daemon.lastError(site.neighbour())))
    },
  },
]
