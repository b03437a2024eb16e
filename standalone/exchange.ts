import type { Duplex } from 'node:stream'
import type { Why } from '../engine/decision.ts'
import type { RawHeaders } from './raw-headers.ts'

// One request and its response, on either side of the data plane and whatever HTTP they came by. Who asks calls the
// Exchange; who answers calls the ResponseSink:
//
//   client --> http1-server, http2-server --> gateway --> http1-client, http2-client --> origin
//                                 Exchange -->        Exchange -->
//                             <-- ResponseSink    <-- ResponseSink

/** What is asked of an Exchange's other end. Its body follows by Exchange.write. */
export interface RequestHead {
  readonly method: string
  /** Path and query as they are to stand on the wire; "*" only for OPTIONS. */
  readonly target: string
  /** Host or :authority, byte for byte. */
  readonly authority: string
  /** End to end: no Host, no Connection, no Transfer-Encoding. Content-Length is there where the body's length is known. */
  readonly headers: RawHeaders
  /** Whether a body, even an empty one, or trailers may follow; without one, end() is called at once. */
  readonly hasBody: boolean
  /** The only protocol that may be upgraded to; such a request has no body. */
  readonly upgrade: 'websocket' | undefined
}

/** Whether nothing speaks against sending it twice. RFC 9110 section 9.2.2: a proxy repeats no request that is not idempotent. */
export const isRepeatable = ({ hasBody, method }: RequestHead): boolean => !hasBody && idempotent.has(method)

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** The side of whoever asks. Until end() or abort(), in which nothing else is to be called any more. */
export interface Exchange {
  /** A piece of the request's body, which is not the caller's any more. False: better wait for ResponseSink.drain. */
  write(chunk: Buffer): boolean
  /** The body is whole. */
  end(trailers: RawHeaders): void
  /** The sink takes data again. */
  resume(): void
  /** Nobody waits for the answer any more: the sink hears nothing from here on. `instead`: the client gets that one. */
  abort(instead?: OwnAnswer): void
}

/** For an other end that is to hear nothing of the request's trailers. */
export const withoutTrailers = (exchange: Exchange): Exchange => ({
  write: (chunk) => exchange.write(chunk),
  end: () => exchange.end([]),
  resume: () => exchange.resume(),
  abort: () => exchange.abort(),
})

/** What a front end answers itself. */
export interface OwnAnswer {
  readonly status: number
  readonly why: Why
}

/**
 * The side of whoever answers: any number of informational(), then head(), data() and end(), or upgraded(); or failed() at
 * any time instead. Never called before the function that was given the sink has returned.
 */
export interface ResponseSink {
  /** A 1xx other than 100 and 101. RFC 9110 section 15.2. */
  informational(status: number, headers: RawHeaders): void
  /** `headers` are end to end, as received, with Content-Length where it counts. `reason` is "" where the protocol has none. */
  head(status: number, reason: string, headers: RawHeaders): void
  /** A piece of the body. False: no more before Exchange.resume(), but for what is on its way. */
  data(chunk: Buffer): boolean
  end(trailers: RawHeaders): void
  /** A 101, or its like in HTTP/2: what passes from here on is the two ends' own. `rest` came behind the head. */
  upgraded(reason: string, headers: RawHeaders, socket: Duplex, rest: Buffer): void
  /** Once data() has been called, whoever waits must see that the body is not whole. */
  failed(error: ExchangeError): void
  /** Exchange.write takes more. */
  drain(): void
}

/** Why an exchange has no answer, or only a part of it. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError'
  readonly kind: ExchangeFault
  /** Whether not a byte of an answer came, so that the same request may be sent once more where its method allows it. */
  readonly unheard: boolean

  constructor(kind: ExchangeFault, message: string, unheard: boolean) {
    super(message)
    this.kind = kind
    this.unheard = unheard
  }
}

export type ExchangeFault =
  /** The request cannot be written so that it has one reading only, or its body is not as long as it says. */
  | 'invalid-request'
  /** As many requests are under way to the endpoint as may be; nothing was sent. */
  | 'overloaded'
  /** Nothing was sent: refused, unreachable or too slow to connect. */
  | 'connect-failed'
  /** The endpoint's certificate is not the one that was asked for, or TLS failed otherwise; nothing was sent. */
  | 'tls-failed'
  /** The endpoint says that it did nothing with the request, so that any request may be sent once more. RFC 9113 section 8.7. */
  | 'unprocessed'
  | 'connection-lost'
  /** What came is no response that can be passed on. */
  | 'invalid-response'
  /** Silent for too long. */
  | 'timeout'
