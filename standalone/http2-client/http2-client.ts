import { type Exchange, ExchangeError, type RequestHead, type ResponseSink } from '../exchange.ts'
import type { Connect, Origin, OriginClient } from '../origin-client.ts'
import { originKey } from '../origin-key.ts'
import { soonAnswered } from '../soon-answered.ts'
import { Http2Exchange } from './exchange.ts'
import { requestFields } from './head.ts'
import { type Http2ClientLimits, http2ClientLimits } from './limits.ts'
import { Http2Pool, type Http2Surroundings } from './pool.ts'

export interface Http2ClientOptions {
  readonly connect: Connect
  readonly limits?: Partial<Http2ClientLimits>
}

/** Sends requests by HTTP/2: with prior knowledge in the clear, and by ALPN within TLS. An origin within TLS that knows no ALPN
 *  is taken to speak HTTP/2, because somebody said so. */
export const createHttp2Client = (options: Http2ClientOptions): OriginClient => new Http2Client(options)

class Http2Client implements OriginClient {
  /** By originKey. */
  readonly #pools = new Map<string, Http2Pool>()
  readonly #surroundings: Http2Surroundings
  /** Runs while there are connections. */
  #sweeper: NodeJS.Timeout | undefined

  constructor({ connect, limits }: Http2ClientOptions) {
    this.#surroundings = { connect, limits: { ...http2ClientLimits, ...limits }, clock: { now: 0 } }
  }

  open(origin: Origin, request: RequestHead, sink: ResponseSink): Exchange {
    const fields = requestFields(request, origin.tls === undefined ? 'http' : 'https')
    if (typeof fields === 'string') return refuse(sink, new ExchangeError('invalid-request', fields, true))
    const pool = this.#poolOf(origin)
    if (pool.isFull) {
      const { requestsPerOrigin } = this.#surroundings.limits
      return refuse(sink, new ExchangeError('overloaded', `${requestsPerOrigin} requests under way`, true))
    }
    const exchange = new Http2Exchange(request, fields, sink, pool, this.#surroundings)
    pool.serve(exchange)
    return exchange
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close()
  }

  #poolOf(origin: Origin): Http2Pool {
    const key = originKey(origin)
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = new Http2Pool(origin, this.#surroundings)
      this.#pools.set(key, pool)
      this.#sweeper ??= setInterval(() => this.#sweep(), this.#surroundings.limits.sweepInterval).unref()
    }
    return pool
  }

  #sweep(): void {
    this.#surroundings.clock.now += this.#surroundings.limits.sweepInterval
    for (const [key, pool] of this.#pools) {
      pool.sweep()
      if (pool.isEmpty) this.#pools.delete(key)
    }
    if (this.#pools.size > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }
}

/** An exchange that fails before anything is sent. */
const refuse = (sink: ResponseSink, error: ExchangeError): Exchange => soonAnswered(() => sink.failed(error))
