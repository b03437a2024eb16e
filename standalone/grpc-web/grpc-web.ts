import type { Duplex } from 'node:stream'
import { isGrpc, isGrpcWeb } from '../../engine/grpc-status.ts'
import { type Exchange, ExchangeError, type RequestHead, type ResponseSink, withoutTrailers } from '../exchange.ts'
import { type RawHeaders, valuesOf } from '../raw-headers.ts'
import { FrameReader, trailersFrame } from './frames.ts'

// gRPC needs trailers, and HTTP/1.1 within Cloudflare's network has none for it, nor have Workers. So gRPC passes there as gRPC-Web:
//
//   client -- gRPC --> edge -- gRPC-Web --> Worker -- gRPC-Web --> connector -- gRPC --> origin
//                    asGrpcWeb                                     asGrpc

const noTrailers: RawHeaders = []

export const isGrpcRequest = ({ headers }: Pick<RequestHead, 'headers'>): boolean => isGrpc(contentType(headers))
export const isGrpcWebRequest = ({ headers }: Pick<RequestHead, 'headers'>): boolean => isGrpcWeb(contentType(headers))

/** Sends a gRPC request on as gRPC-Web, by `open`, and gives `sink` the answer as gRPC. */
export function asGrpcWeb(
  request: RequestHead,
  sink: ResponseSink,
  open: (request: RequestHead, sink: ResponseSink) => Exchange,
): Exchange {
  const answer = new FromGrpcWeb(sink, () => exchange.abort())
  const exchange = open({ ...request, headers: renamed(request.headers, 'application/grpc-web', hopFields) }, answer)
  return withoutTrailers(exchange)
}

/** Sends a gRPC-Web request on as gRPC, by `open`, and gives `sink` the answer as gRPC-Web. */
export function asGrpc(
  request: RequestHead,
  sink: ResponseSink,
  open: (request: RequestHead, sink: ResponseSink) => Exchange,
): Exchange {
  const headers = [...renamed(request.headers, 'application/grpc', hopFields), 'te', 'trailers']
  return open({ ...request, headers }, new ToGrpcWeb(sink))
}

/** gRPC has servers ask for it: "Request-Headers" of its protocol over HTTP/2. */
const hopFields: ReadonlySet<string> = new Set(['te'])
/** The body gets longer or shorter by the trailers. */
const length: ReadonlySet<string> = new Set(['content-length'])

const contentType = (headers: RawHeaders): string | undefined => valuesOf(headers, 'content-type')[0]

/** With the first part of the content-type, up to what is said of the messages, put as `type`. */
function renamed(headers: RawHeaders, type: string, without: ReadonlySet<string>): string[] {
  const lines: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]]
    const lower = name.toLowerCase()
    if (without.has(lower)) continue
    lines.push(name, lower === 'content-type' ? value.replace(/^application\/grpc(?:-web)?/i, type) : value)
  }
  return lines
}

/** What both directions have in common. What is no answer of gRPC's passes as it is. */
abstract class Answer implements ResponseSink {
  protected readonly sink: ResponseSink

  constructor(sink: ResponseSink) {
    this.sink = sink
  }

  abstract head(status: number, reason: string, headers: RawHeaders): void
  abstract data(chunk: Buffer): boolean
  abstract end(trailers: RawHeaders): void

  informational(status: number, headers: RawHeaders): void {
    this.sink.informational(status, headers)
  }

  upgraded(reason: string, headers: RawHeaders, socket: Duplex, rest: Buffer): void {
    this.sink.upgraded(reason, headers, socket, rest)
  }

  failed(error: ExchangeError): void {
    this.sink.failed(error)
  }

  drain(): void {
    this.sink.drain()
  }
}

class FromGrpcWeb extends Answer {
  readonly #abort: () => void
  #reader: FrameReader | undefined
  #trailers = noTrailers
  #held: (() => void) | undefined

  constructor(sink: ResponseSink, abort: () => void) {
    super(sink)
    this.#abort = abort
  }

  head(status: number, reason: string, headers: RawHeaders): void {
    const isWeb = isGrpcWeb(contentType(headers))
    if (isWeb) this.#reader = new FrameReader()
    const lines = isWeb ? renamed(headers, 'application/grpc', length) : headers
    this.#held = (): void => this.sink.head(status, reason, lines)
    // "Trailers-Only" are a head with the end: who sees the head alone looks for its status no more.
    if (!isWeb || valuesOf(headers, 'grpc-status').length === 0) this.#release()
  }

  data(chunk: Buffer): boolean {
    this.#release()
    if (this.#reader === undefined) return this.sink.data(chunk)
    const piece = this.#reader.read(chunk)
    if (typeof piece === 'string') {
      this.#abort()
      this.sink.failed(new ExchangeError('invalid-response', piece, false))
      return true
    }
    if (piece.trailers !== undefined) this.#trailers = piece.trailers
    return piece.messages === undefined || this.sink.data(piece.messages)
  }

  end(trailers: RawHeaders): void {
    this.#release()
    if (this.#reader?.isComplete === false)
      this.sink.failed(new ExchangeError('invalid-response', 'a message that is cut off', false))
    else this.sink.end(this.#reader === undefined ? trailers : this.#trailers)
  }

  #release(): void {
    this.#held?.()
    this.#held = undefined
  }
}

class ToGrpcWeb extends Answer {
  #isGrpc = false

  head(status: number, reason: string, headers: RawHeaders): void {
    this.#isGrpc = isGrpc(contentType(headers))
    this.sink.head(status, reason, this.#isGrpc ? renamed(headers, 'application/grpc-web', length) : headers)
  }

  data(chunk: Buffer): boolean {
    return this.sink.data(chunk)
  }

  end(trailers: RawHeaders): void {
    if (this.#isGrpc && trailers.length > 0) this.sink.data(trailersFrame(trailers))
    this.sink.end(noTrailers)
  }
}
