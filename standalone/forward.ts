import type { ServerResponse } from 'node:http'
import { errorHeader, type OriginError } from '../engine/origin-token.ts'
import { sendBody } from './body.ts'
import { endToEnd, valuesOf } from './raw-headers.ts'
import { type Exchange, UpstreamError, type UpstreamResponse, type UpstreamUpgrade } from './upstream.ts'

export interface Ends {
  /** The origin agreed to the upgrade; the client has not been answered. */
  readonly upgraded: ((answer: UpstreamUpgrade) => void) | undefined
  /** `broken`: the response had begun and is cut; otherwise the client has been answered with `error`. */
  readonly failed: (error: OriginError, message: string, broken: boolean) => void
}

/** Brings the answer of an exchange to the client, within `timeout` milliseconds if given. A client that goes away ends the
 *  exchange. */
export function forward(exchange: Exchange, response: ServerResponse, timeout: number | undefined, ends: Ends): void {
  const overdue = timeout === undefined ? undefined : setTimeout(expire, timeout, timeout)
  response.on('close', () => {
    clearTimeout(overdue)
    if (!response.writableFinished) exchange.abort()
  })
  exchange.answer.then((answer) => {
    if (isOver(response)) exchange.abort()
    else if (answer.type === 'response') respond(answer)
    else {
      clearTimeout(overdue)
      ends.upgraded?.(answer)
    }
  }, fail)

  function respond(answer: UpstreamResponse): void {
    answer.body.on('error', fail)
    try {
      response.writeHead(answer.status, answer.reason, responseHeaders(answer))
    } catch (error) {
      // What the parser lets in and the writer does not let out: a status below 100, control characters.
      fail(new UpstreamError('invalid-response', `${error}`))
      exchange.abort()
      return
    }
    sendBody(answer.body, response)
  }

  function expire(after: number): void {
    fail(new UpstreamError('timeout', `no end after ${after} ms`))
    exchange.abort()
  }

  function fail(error: Error): void {
    if (isOver(response)) return
    const broken = response.headersSent
    if (broken) response.destroy()
    // What node:http does not want to send on was the client's.
    const kind = error instanceof UpstreamError ? error.kind : broken ? 'connection-lost' : 'bad-request'
    if (!broken) answerError(response, kind)
    ends.failed(kind, error.message, broken)
  }
}

const isOver = (response: ServerResponse): boolean => response.writableEnded || response.destroyed

const statusOf: Readonly<Record<OriginError, number>> = {
  refused: 403,
  'bad-request': 400,
  'unsupported-protocol': 502,
  overloaded: 503,
  'connect-failed': 502,
  'connection-lost': 502,
  'invalid-response': 502,
  timeout: 504,
}

export function answerError(response: ServerResponse, error: OriginError): void {
  // The next request may begin elsewhere than it seems to.
  if (error === 'bad-request') response.shouldKeepAlive = false
  response.writeHead(statusOf[error], [errorHeader, error, 'Content-Length', '0']).end()
}

const nothing: ReadonlySet<string> = new Set()
const contentLength: ReadonlySet<string> = new Set(['content-length'])

/** Content-Length goes where RFC 9110 section 8.6 forbids it, and where RFC 9112 section 6.3 lets Transfer-Encoding win. */
const responseHeaders = ({ status, headers }: UpstreamResponse): string[] =>
  endToEnd(headers, status === 204 || valuesOf(headers, 'transfer-encoding').length > 0 ? contentLength : nothing)
