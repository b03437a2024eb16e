import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, describe, test } from 'vitest'
import type { Cell } from './bgp-cells/cell.ts'
import { gracefulRestartCells } from './bgp-cells/graceful-restart.ts'
import { protectionCells } from './bgp-cells/protection.ts'
import { routeCells } from './bgp-cells/routes.ts'
import { sessionCells } from './bgp-cells/sessions.ts'
import { bird } from './bgp-daemons/bird.ts'
import type { DaemonKind } from './bgp-daemons/daemon.ts'
import { frr } from './bgp-daemons/frr.ts'
import { gobgp } from './bgp-daemons/gobgp.ts'
import { BgpSite } from './bgp-site.ts'
import { has } from './serve-rig.ts'

const daemons = [bird, frr, gobgp]
const cells = [...gracefulRestartCells, ...sessionCells, ...protectionCells, ...routeCells]

/** Milliseconds for a cell. */
const timeout = 60_000

/** By cell and daemon. */
const outcomes = new Map<string, string>()
const key = ({ name }: Cell, daemon: DaemonKind): string => `${name} ${daemon.name}`

// In CI nothing is passed over: there it fails for who may not make namespaces.
const isRoot = process.env.CI !== undefined || process.getuid?.() === 0
const isHere = ({ name, programs }: DaemonKind): boolean => {
  const isComplete = ['ip', ...programs].every(has)
  if (!isComplete || !isRoot) console.warn(`${name} is not tried: ${isRoot ? 'it is not installed' : 'only root can'}`)
  return isComplete && isRoot
}

for (const daemon of daemons) {
  describe.skipIf(!isHere(daemon))(daemon.name, { concurrent: true }, () => {
    for (const cell of cells) {
      const lacks = cell.lacks?.[daemon.name]
      if (lacks !== undefined) {
        outcomes.set(key(cell, daemon), `no: ${lacks}`)
        continue
      }
      test(cell.name, { timeout }, async ({ expect, onTestFinished }) => {
        const site = await BgpSite.create()
        onTestFinished(() => site.close())
        await cell.prove({ site, kind: daemon, expect })
        outcomes.set(key(cell, daemon), 'yes')
      })
    }
  })
}

/** The whole page. */
const page = (): string => `# BGP with other daemons

What \`landfall bgp agent\` does together with the daemons of Debian 12's packages, in network namespaces, as the daemon itself
sees it. CI runs it: \`npx vitest run test/bgp-interop.test.ts\`, as root; with \`BGP_INTEROP=write\` the run makes this page.

| | ${daemons.map(({ name }) => name).join(' | ')} |
| --- |${daemons.map(() => ' --- |').join('')}
${cells.map(row).join('\n')}
`

const row = (cell: Cell): string =>
  `| ${[cell.name, ...daemons.map((daemon) => outcomes.get(key(cell, daemon)) ?? '')].join(' | ')} |`

const path = join(import.meta.dirname, '../docs/bgp-interop.md')

afterAll(async () => {
  process.stdout.write(`${page().split('\n').slice(5).join('\n')}\n`)
  // A run of some cells alone, or on a machine that has not got all daemons, says nothing of the others.
  if (!cells.every((cell) => daemons.every((daemon) => outcomes.has(key(cell, daemon))))) return
  if (process.env.BGP_INTEROP === 'write') await writeFile(path, page())
  if ((await readFile(path, 'utf8')) !== page()) throw new Error(`${path} is not what this run has shown`)
})
