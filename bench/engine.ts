// How fast a request finds its route, beside other routers over the same table.
// Run: node_modules/.bin/node bench/engine.ts [shape, as in "exact" or "regex"]

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Lookup, landfall, type Peer, peers } from './engine-peers.ts'
import {
  type BenchRequest,
  type BenchRoute,
  Requests,
  routesOf,
  type Shape,
  shapes,
  type Traffic,
} from './engine-shapes.ts'

const SIZES = [1_000, 10_000, 100_000]

/** The routers take turns, so that all meet the same weather. In each turn the first batches only bring the processor's
 *  caches back from the router before. */
const TURNS = 10
const BATCHES = 60
const BATCHES_BEFORE = 30
const BATCH = 100

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
      const measured = measure(shape, count, tooSlow)
      print(measured)
      rows.push(...measured)
    }
  }
  return rows
}

function measure(shape: Shape, count: number, tooSlow: Map<string, string>): readonly EngineRow[] {
  const routes = routesOf(shape, count)
  const hosts = new Set(routes.map(({ hostname }) => hostname)).size
  const contestants = [landfall, ...peers].map((peer) => new Contestant(peer, shape, count))
  for (const contestant of contestants) contestant.build(routes, tooSlow)
  // Otherwise the garbage of all that building is collected in the middle of the figures.
  collectGarbage()
  for (let turn = 0; turn < TURNS; turn++) for (const contestant of contestants) contestant.takeTurn()
  return contestants.map((contestant) => ({ shape: shape.name, hosts, routes: count, ...contestant.result() }))
}

class Contestant {
  readonly #peer: Peer
  readonly #requests: Requests
  readonly #times: Record<Traffic, number[]> = { 'working set': [], all: [] }
  #build: number | undefined
  #note = ''
  #lookup: Lookup | undefined

  constructor(peer: Peer, shape: Shape, count: number) {
    this.#peer = peer
    this.#requests = new Requests(shape, count, BATCH)
  }

  build(routes: readonly BenchRoute[], tooSlow: Map<string, string>): void {
    const { name, cannot, build } = this.#peer
    this.#note = tooSlow.get(name) ?? (routes[0] && cannot(routes[0])) ?? ''
    if (this.#note !== '') return
    const start = performance.now()
    try {
      this.#lookup = build(routes)
      // Some routers build with the first request.
      this.#run(this.#requests.next('all'))
    } catch (error) {
      this.#lookup = undefined
      this.#note = (error instanceof Error ? error.message : String(error)).slice(0, 100)
      return
    }
    this.#build = performance.now() - start
    if (this.#build > PATIENCE)
      tooSlow.set(name, `${routes.length} routes took ${(this.#build / 1000).toFixed(1)} s to build`)
    // What a router makes ready on first use is no part of the figures.
    for (let used = 0; used < routes.length; used += BATCH) this.#run(this.#requests.next('all'))
  }

  takeTurn(): void {
    if (this.#lookup === undefined) return
    for (const traffic of ['working set', 'all'] as const) {
      for (let batch = -BATCHES_BEFORE; batch < BATCHES; batch++) {
        const time = this.#run(this.#requests.next(traffic))
        if (batch >= 0) this.#times[traffic].push((time * 1e6) / BATCH)
      }
    }
  }

  result(): Pick<EngineRow, 'router' | 'median' | 'medianOfAll' | 'build' | 'note'> {
    const { 'working set': workingSet, all } = this.#times
    return {
      router: this.#peer.name,
      median: median(workingSet),
      medianOfAll: median(all),
      build: this.#build,
      note: this.#note,
    }
  }

  /** Milliseconds. */
  #run(requests: readonly BenchRequest[]): number {
    const lookup = this.#lookup
    if (lookup === undefined) return 0
    let hits = 0
    const start = performance.now()
    for (const request of requests) if (lookup(request)) hits++
    const time = performance.now() - start
    if (hits !== (BATCH * 4) / 5) throw new Error(`${this.#peer.name} found ${hits} routes of ${(BATCH * 4) / 5}`)
    return time
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const median = (times: readonly number[]): number | undefined => times.toSorted((a, b) => a - b)[times.length >> 1]

function print(rows: readonly EngineRow[]): void {
  for (const { shape, hosts, routes, router, median, medianOfAll, build, note } of rows) {
    const table = `${shape.padEnd(7)}${String(hosts).padStart(6)} hosts${String(routes).padStart(7)} routes`
    const figures = [median, medianOfAll, build].map((figure) => (figure?.toFixed(0) ?? '-').padStart(8)).join('')
    console.log(`${table}  ${router.padEnd(18)}${figures}  ${note}`)
  }
}

if (import.meta.main) await engineBench(process.argv[2])
