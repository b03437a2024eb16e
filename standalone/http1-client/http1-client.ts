import type { Exchange, RequestHead, ResponseSink } from '../exchange.ts'
import { ExchangeError } from '../exchange.ts'
import type { Connect, Origin, OriginClient } from '../origin-client.ts'
import { originKey } from '../origin-key.ts'
import type { Http1Surroundings } from './connection.ts'
import { Http1Exchange } from './exchange.ts'
import { type Http1ClientLimits, http1ClientLimits } from './limits.ts'
import { Http1Pool } from './pool.ts'
import { requestText } from './request-head.ts'

export interface Http1ClientOptions {
  readonly connect: Connect
  readonly limits?: Partial<Http1ClientLimits>
  /** The origins are Landfall's own, and what begins with "landfall-" is theirs to say. */
  readonly isOwn?: boolean
  /** Milliseconds, from any moment on. */
  readonly now?: () => number
}

/** Sends requests by HTTP/1.1. */
export const createHttp1Client = (options: Http1ClientOptions): OriginClient => new Http1Client(options)

class Http1Client implements OriginClient {
  /** By originKey. */
  readonly #pools = new Map<string, Http1Pool>()
  readonly #surroundings: Http1Surroundings
  readonly #now: () => number
  /** Runs while there are connections. */
  #sweeper: NodeJS.Timeout | undefined

  constructor({ connect, limits, isOwn = false, now = () => performance.now() }: Http1ClientOptions) {
    const all = { ...http1ClientLimits, ...limits }
    const tick = Math.min(longestTick, Math.ceil(Math.min(all.connectTimeout, all.idleTimeout, all.reuseTimeout) / 8))
    this.#now = now
    this.#surroundings = {
      connect,
      limits: all,
      isOwn,
      readBuffer: Buffer.allocUnsafeSlow(readBytes),
      clock: { now: now(), tick },
    }
  }

  open(origin: Origin, request: RequestHead, sink: ResponseSink): Exchange {
    const head = requestText(request)
    if (typeof head === 'string') {
      const refused = new Http1Exchange(request, { text: '', length: 0 }, sink)
      refused.failSoon(new ExchangeError('invalid-request', head, true))
      return refused
    }
    const exchange = new Http1Exchange(request, head, sink)
    this.#poolOf(origin).serve(exchange)
    return exchange
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close()
  }

  #poolOf(origin: Origin): Http1Pool {
    const key = originKey(origin)
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = new Http1Pool(origin, this.#surroundings)
      this.#pools.set(key, pool)
      if (this.#sweeper === undefined) {
        this.#surroundings.clock.now = this.#now()
        this.#sweeper = setInterval(() => this.#sweep(), this.#surroundings.clock.tick).unref()
      }
    }
    return pool
  }

  #sweep(): void {
    this.#surroundings.clock.now = this.#now()
    for (const [key, pool] of this.#pools) {
      pool.sweep()
      if (pool.isEmpty) this.#pools.delete(key)
    }
    if (this.#pools.size > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }
}

/** Milliseconds. Times are kept no more exactly: to read the clock at every read would cost more than it tells. */
const longestTick = 250

/** As much as libuv reads at once. */
const readBytes = 65_536
