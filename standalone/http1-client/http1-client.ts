import type { Exchange, RequestHead, ResponseSink } from '../exchange.ts'
import { ExchangeError } from '../exchange.ts'
import type { Connect, Origin, OriginClient } from '../origin-client.ts'
import { OriginPools } from '../origin-pools.ts'
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
  readonly #pools: OriginPools<Http1Pool>

  constructor({ connect, limits, isOwn = false, now = () => performance.now() }: Http1ClientOptions) {
    const all = { ...http1ClientLimits, ...limits }
    const tick = Math.min(longestTick, Math.ceil(Math.min(all.connectTimeout, all.idleTimeout, all.reuseTimeout) / 8))
    const clock = { now: now(), tick }
    const readBuffer = Buffer.allocUnsafeSlow(readBytes)
    const surroundings: Http1Surroundings = { connect, limits: all, isOwn, readBuffer, clock }
    const look = (): void => {
      clock.now = now()
    }
    const create = (origin: Origin): Http1Pool => {
      // Nobody looks while there is no pool.
      look()
      return new Http1Pool(origin, surroundings)
    }
    this.#pools = new OriginPools(tick, create, look)
  }

  open(origin: Origin, request: RequestHead, sink: ResponseSink): Exchange {
    const head = requestText(request)
    if (typeof head === 'string') {
      const refused = new Http1Exchange(request, { text: '', length: 0 }, sink)
      refused.failSoon(new ExchangeError('invalid-request', head, true))
      return refused
    }
    const exchange = new Http1Exchange(request, head, sink)
    this.#pools.of(origin).serve(exchange)
    return exchange
  }

  close(): void {
    this.#pools.close()
  }
}

/** Milliseconds. Times are kept no more exactly: to read the clock at every read would cost more than it tells. */
const longestTick = 250

/** As much as libuv reads at once. */
const readBytes = 65_536
