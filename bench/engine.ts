// How fast a request finds its route, beside other routers over the same table.
// Run: node_modules/.bin/node bench/engine.ts [shape, as in "exact" or "regex"]

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Built, Times } from './engine/contestant.ts'
import { landfall, peers } from './engine/peers.ts'
import { routesOf, type Shape, shapes } from './engine/shapes.ts'

const SIZES = [1_000, 10_000, 100_000]

/** The routers take turns, so that all meet the same weather. */
const TURNS = 10

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
  const contestants: Contestant[] = []
  try {
    for (const { name } of [landfall, ...peers]) {
      const contestant = await Contestant.start(name, shape, count, tooSlow.get(name))
      contestants.push(contestant)
      const { build } = contestant.built
      if (build !== undefined && build > PATIENCE)
        tooSlow.set(name, `${count} routes took ${(build / 1000).toFixed(1)} s to build`)
    }
    for (let turn = 0; turn < TURNS; turn++) for (const contestant of contestants) await contestant.takeTurn()
    return contestants.map((contestant) => ({ shape: shape.name, hosts, routes: count, ...contestant.result() }))
  } finally {
    for (const contestant of contestants) contestant.close()
  }
}

/** Each has a process of its own: in one heap they would get into each other's way. */
class Contestant {
  readonly built: Built
  readonly #router: string
  readonly #process: ChildProcess | undefined
  readonly #times: Times = { 'working set': [], all: [] }

  private constructor(router: string, process: ChildProcess | undefined, built: Built) {
    this.#router = router
    this.#process = process
    this.built = built
  }

  static async start(router: string, shape: Shape, count: number, tooSlow: string | undefined): Promise<Contestant> {
    if (tooSlow !== undefined) return new Contestant(router, undefined, { build: undefined, note: tooSlow })
    const child = fork(join(import.meta.dirname, 'engine/contestant.ts'), [
      router,
      shape.name,
      String(shape.routesInAHost),
      String(count),
    ])
    const [built] = await once(child, 'message')
    return new Contestant(router, child, built)
  }

  async takeTurn(): Promise<void> {
    if (this.#process === undefined || this.built.build === undefined) return
    this.#process.send('turn')
    const [times]: Times[] = await once(this.#process, 'message')
    for (const traffic of ['working set', 'all'] as const) this.#times[traffic].push(...(times?.[traffic] ?? []))
  }

  result(): Pick<EngineRow, 'router' | 'median' | 'medianOfAll' | 'build' | 'note'> {
    return {
      router: this.#router,
      median: median(this.#times['working set']),
      medianOfAll: median(this.#times.all),
      ...this.built,
    }
  }

  close(): void {
    this.#process?.disconnect()
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
