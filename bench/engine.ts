// How fast a request finds its route, beside other routers over the same table.
// Run: node_modules/.bin/node bench/engine.ts [shape, as in "exact" or "regex"]

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Built, Times } from './engine/contestant.ts'
import { landfall, peers } from './engine/peers.ts'
import { routesOf, type Shape, shapes } from './engine/shapes.ts'

const SIZES = [1_000, 10_000, 100_000]

/** The routers take turns, so that all meet the same weather. In each, a router has the machine and a new process to itself: in
 *  one heap, or beside processes that lie idle, they would get into each other's way. */
const ROUNDS = 2
/** Times that a process is asked. */
const TURNS = 5

/** A router whose table took longer than this to build, in milliseconds, is not asked to build one of ten times the size. */
const PATIENCE = 2_000

export interface EngineRow {
  readonly shape: string
  readonly hosts: number
  readonly routes: number
  readonly router: string
  /** Over batches of requests for a working set of routes, in nanoseconds a decision. */
  readonly median: number | undefined
  /** The same of requests for all routes. */
  readonly medianOfAll: number | undefined
  /** Milliseconds from routes to the first answer. */
  readonly build: number | undefined
  /** Why the router has no figures. */
  readonly note: string
}

/** Prints a table and returns its rows. */
export async function engineBench(filter = ''): Promise<readonly EngineRow[]> {
  const rows: EngineRow[] = []
  console.log('ns a decision for requests of a working set of 1,000 routes, and of all routes; ms to build')
  for (const shape of shapes.filter(({ name }) => name.includes(filter))) {
    const tooSlow = new Map<string, string>()
    for (const count of SIZES) {
      const measured = await measure(shape, count, tooSlow)
      print(measured)
      rows.push(...measured)
    }
  }
  return rows
}

async function measure(shape: Shape, count: number, tooSlow: Map<string, string>): Promise<readonly EngineRow[]> {
  const hosts = new Set(routesOf(shape, count).map(({ hostname }) => hostname)).size
  const contestants = [landfall, ...peers].map(({ name }) => new Contestant(name, shape, count, tooSlow.get(name)))
  for (let round = 0; round < ROUNDS; round++) for (const contestant of contestants) await contestant.takeTurns()
  return contestants.map((contestant) => {
    const result = contestant.result()
    if (result.build !== undefined && result.build > PATIENCE)
      tooSlow.set(result.router, `${count} routes took ${(result.build / 1000).toFixed(1)} s to build`)
    return { shape: shape.name, hosts, routes: count, ...result }
  })
}

class Contestant {
  readonly #router: string
  readonly #arguments: readonly string[]
  readonly #times: Times = { 'working set': [], all: [] }
  #built: Built

  constructor(router: string, shape: Shape, count: number, tooSlow = '') {
    this.#router = router
    this.#arguments = [router, shape.name, String(shape.routesInAHost), String(count)]
    this.#built = { build: undefined, note: tooSlow }
  }

  async takeTurns(): Promise<void> {
    if (this.#built.note !== '') return
    const child = fork(join(import.meta.dirname, 'engine/contestant.ts'), this.#arguments)
    try {
      const [built]: Built[] = await once(child, 'message')
      if (built !== undefined) this.#built = built
      if (built?.build === undefined) return
      for (let turn = 0; turn < TURNS; turn++) {
        child.send('turn')
        const [times]: Times[] = await once(child, 'message')
        for (const traffic of ['working set', 'all'] as const) this.#times[traffic].push(...(times?.[traffic] ?? []))
      }
    } finally {
      child.disconnect()
      await once(child, 'exit')
    }
  }

  result(): Pick<EngineRow, 'router' | 'median' | 'medianOfAll' | 'build' | 'note'> {
    return {
      router: this.#router,
      median: median(this.#times['working set']),
      medianOfAll: median(this.#times.all),
      ...this.#built,
    }
  }
}

const median = (times: readonly number[]): number | undefined => times.toSorted((a, b) => a - b)[times.length >> 1]

function print(rows: readonly EngineRow[]): void {
  for (const { shape, hosts, routes, router, median, medianOfAll, build, note } of rows) {
    const table = `${shape.padEnd(7)}${String(hosts).padStart(6)} hosts${String(routes).padStart(7)} routes`
    const figures = [median, medianOfAll, build].map((figure) => (figure?.toFixed(0) ?? '-').padStart(8)).join('')
    console.log(`${table}  ${router.padEnd(18)}${figures}  ${note}`)
  }
}

if (import.meta.main) await engineBench(process.argv[2])
