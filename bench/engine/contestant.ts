// One router over one table, in a process of its own: forked with the arguments ROUTER SHAPE ROUTES-IN-A-HOST ROUTES.
// Sends Built when its table is built, and Times for every message that it gets.
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Lookup, landfall, type Peer, peers } from './peers.ts'
import { type BenchRequest, type BenchRoute, Requests, routesOf, shapes, type Traffic } from './shapes.ts'

export interface Built {
  /** Milliseconds from routes to the first answer. */
  readonly build: number | undefined
  /** Why the router has no figures. */
  readonly note: string
}

/** Nanoseconds a decision, batch by batch. */
export type Times = Readonly<Record<Traffic, number[]>>

/** In each turn the first batches only bring the processor's caches back from the router before. */
const BATCHES = 60
const BATCHES_BEFORE = 30
const BATCH = 100
/** Before the first turn. */
const REQUESTS_BEFORE = 50_000

class Contestant {
  readonly #peer: Peer
  readonly #requests: Requests
  #lookup: Lookup | undefined

  constructor(peer: Peer, requests: Requests) {
    this.#peer = peer
    this.#requests = requests
  }

  build(routes: readonly BenchRoute[]): Built {
    const note = (routes[0] && this.#peer.cannot(routes[0])) ?? ''
    if (note !== '') return { build: undefined, note }
    const start = performance.now()
    try {
      this.#lookup = this.#peer.build(routes)
      // Some routers build with the first request.
      this.#run(this.#requests.next('all'))
    } catch (error) {
      this.#lookup = undefined
      return { build: undefined, note: (error instanceof Error ? error.message : String(error)).slice(0, 100) }
    }
    const build = performance.now() - start
    // What a router makes ready on first use is no part of the figures.
    for (let used = 0; used < routes.length; used += BATCH) this.#run(this.#requests.next('all'))
    // Otherwise the garbage of all that building is collected in the middle of the figures, and with it the code that V8 has
    // optimised for what is gone: it takes some ten thousand requests until that is there again.
    collectGarbage()
    for (let used = 0; used < REQUESTS_BEFORE; used += BATCH) this.#run(this.#requests.next('all'))
    return { build, note }
  }

  turn(): Times {
    const times: Times = { 'working set': [], all: [] }
    for (const traffic of ['working set', 'all'] as const) {
      for (let batch = -BATCHES_BEFORE; batch < BATCHES; batch++) {
        const time = this.#run(this.#requests.next(traffic))
        if (batch >= 0) times[traffic].push((time * 1e6) / BATCH)
      }
    }
    return times
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

const [router = '', shapeName = '', routesInAHost = '', count = ''] = process.argv.slice(2)
const peer = [landfall, ...peers].find(({ name }) => name === router)
const shape = shapes.find((each) => each.name === shapeName && each.routesInAHost === Number(routesInAHost))
if (peer === undefined || shape === undefined) throw new Error(`there is no router ${router} or no shape ${shapeName}`)
const contestant = new Contestant(peer, new Requests(shape, Number(count), BATCH))
process.send?.(contestant.build(routesOf(shape, Number(count))))
process.on('message', () => process.send?.(contestant.turn()))
