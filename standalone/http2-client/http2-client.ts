import { type Exchange, ExchangeError, type RequestHead, type ResponseSink } from '../exchange.ts'
import type { Connect, Origin, OriginClient } from '../origin-client.ts'
import { OriginPools } from '../origin-pools.ts'
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
  readonly #pools: OriginPools<Http2Pool>
  readonly #surroundings: Http2Surroundings

  constructor({ connect, limits }: Http2ClientOptions) {
    const all = { ...http2ClientLimits, ...limits }
    const surroundings = { connect, limits: all, clock: { now: 0 } }
    this.#surroundings = surroundings
    this.#pools = new OriginPools(
      all.sweepInterval,
      (origin) => new Http2Pool(origin, surroundings),
      () => {
        surroundings.clock.now += all.sweepInterval
      },
    )
  }

  open(origin: Origin, request: RequestHead, sink: ResponseSink): Exchange {
    const fields = requestFields(request, origin.tls === undefined ? 'http' : 'https')
    if (typeof fields === 'string') return refuse(sink, new ExchangeError('invalid-request', fields, true))
    const pool = this.#pools.of(origin)
    if (pool.isFull) {
      const { requestsPerOrigin } = this.#surroundings.limits
      return refuse(sink, new ExchangeError('overloaded', `${requestsPerOrigin} requests under way`, true))
    }
    const exchange = new Http2Exchange(request, fields, sink, pool, this.#surroundings)
    pool.serve(exchange)
    return exchange
  }

  close(): void {
    this.#pools.close()
  }
}

/** An exchange that fails before anything is sent. */
const refuse = (sink: ResponseSink, error: ExchangeError): Exchange => soonAnswered(() => sink.failed(error))
