import type { Duplex } from 'node:stream'
import type { Forward, Why } from '../engine/decision.ts'
import type { EndpointBalancer } from '../engine/endpoints.ts'
import { statusOf } from '../engine/reason.ts'
import type { RetryBudget } from '../engine/retry-budget.ts'
import { retryWait } from '../engine/retry-wait.ts'
import { sessionValue } from '../engine/session.ts'
import type { Backend, Endpoint, Settings } from '../proto/gen/route_table.ts'
import type { Access } from './access.ts'
import { Attempt, type AttemptEnds } from './attempt.ts'
import {
  type Exchange,
  ExchangeError,
  type ExchangeFault,
  isRepeatable,
  type OwnAnswer,
  type RequestHead,
  type ResponseSink,
} from './exchange.ts'
import { forwardedHeaders } from './forwarded-headers.ts'
import type { ClientRequest } from './handler.ts'
import { editedLines, isEmpty } from './header-edit.ts'
import { answerLocally } from './local-answer.ts'
import { Mirror } from './mirror.ts'
import type { RawHeaders } from './raw-headers.ts'

/** A request's body is kept for another try up to this size, in bytes. */
const maxReplay = 64 * 1024
/** Tries without a word from the route, as long as no endpoint has done anything with the request. */
const maxUntouched = 3

const nothing: ReadonlySet<string> = new Set()

/** What all requests of a data plane share. */
export interface Upstreams {
  readonly open: (backend: Backend, endpoint: Endpoint, request: RequestHead, sink: ResponseSink) => Exchange
  readonly balancer: EndpointBalancer
  readonly budget: RetryBudget
  readonly now: () => number
  readonly random: () => number
}

/** How a forwarded request ended. */
export type Ending = Pick<Access, 'status' | 'why' | 'endpoint' | 'tries' | 'bytesReceived' | 'bytesSent'>

/** A request on its way to the backend that was chosen for it: its tries, its mirrors, and what the route makes of the
 *  answer. */
export class Forwarding implements Exchange, AttemptEnds {
  readonly #request: ClientRequest
  readonly #decision: Forward
  readonly #hideReason: boolean
  readonly #head: RequestHead
  readonly #sink: ResponseSink
  readonly #upstreams: Upstreams
  readonly #over: (ending: Ending) => void
  readonly #mirrors: readonly Mirror[]
  readonly #since: number
  readonly #tried = new Set<number>()
  #attempt: Attempt | undefined
  #tries = 0
  /** An endpoint that may have heard of the request was lost with it. */
  #wasLost = false
  /** Which limit it is that ends the try under way. */
  #limit: 'request-timeout' | 'backend-timeout' = 'request-timeout'
  /** What has come of the body, for another try; undefined when it is too much. */
  #kept: Buffer[] | undefined = []
  /** Whether the try under way took at once what had come of the body. */
  #takes = true
  /** Set when the request is whole. */
  #trailers: RawHeaders | undefined
  /** Whether who sends the body was told to wait. */
  #isWaiting = false
  #retryTimer: NodeJS.Timeout | undefined
  #status = 0
  #isOver = false
  #bytesReceived = 0
  #bytesSent = 0

  constructor(
    request: ClientRequest,
    decision: Forward,
    settings: Pick<Settings, 'hideReason' | 'trustedHops'>,
    sink: ResponseSink,
    upstreams: Upstreams,
    over: (ending: Ending) => void,
  ) {
    this.#request = request
    this.#decision = decision
    this.#hideReason = settings.hideReason
    this.#sink = sink
    this.#upstreams = upstreams
    this.#over = over
    this.#since = upstreams.now()
    this.#head = upstreamHead(request, decision, settings.trustedHops)
    this.#mirrors = decision.mirrors.flatMap((backend) => this.#mirror(backend) ?? [])
    if (decision.retry !== undefined) upstreams.budget.requested(this.#since)
    // The sink must not hear of anything before who called has an Exchange.
    if (!this.#try()) queueMicrotask(() => this.#answer(503, 'no-endpoints'))
  }

  write(chunk: Buffer): boolean {
    if (this.#isOver) return true
    this.#bytesReceived += chunk.length
    for (const mirror of this.#mirrors) mirror.write(chunk)
    if (this.#status === 0) this.#keep(chunk)
    const takes = this.#attempt?.exchange.write(chunk) ?? false
    this.#isWaiting = !takes
    return takes
  }

  end(trailers: RawHeaders): void {
    if (this.#isOver) return
    this.#trailers = trailers
    for (const mirror of this.#mirrors) mirror.end(trailers)
    this.#attempt?.exchange.end(trailers)
  }

  resume(): void {
    this.#attempt?.exchange.resume()
  }

  abort(instead?: OwnAnswer): void {
    if (this.#isOver) return
    for (const mirror of this.#mirrors) if (this.#trailers === undefined) mirror.abort()
    this.#attempt?.abort('abandoned')
    if (instead !== undefined) this.#status = instead.status
    this.#finish(instead?.why ?? 'client-left')
  }

  informed(status: number, headers: RawHeaders): void {
    this.#sink.informational(status, headers)
  }

  answered(status: number, reason: string, headers: RawHeaders): boolean {
    if (this.#decision.retry?.codes.includes(status) === true && this.#again()) return false
    this.#status = status
    this.#kept = undefined
    this.#sink.head(status, reason, this.#responseLines(headers))
    return true
  }

  received(chunk: Buffer): boolean {
    this.#bytesSent += chunk.length
    return this.#sink.data(chunk)
  }

  completed(trailers: RawHeaders): void {
    this.#finish(undefined)
    this.#sink.end(trailers)
  }

  switched(reason: string, headers: RawHeaders, socket: Duplex, rest: Buffer): void {
    this.#status = 101
    this.#finish(undefined)
    this.#sink.upgraded(reason, this.#responseLines(headers), socket, rest)
  }

  broke(fault: ExchangeFault | 'overdue', error: ExchangeError | undefined): void {
    const why = fault === 'overdue' ? this.#limit : whyOf(fault)
    if (this.#status !== 0) {
      this.#finish(why)
      this.#sink.failed(error ?? new ExchangeError('timeout', why, false))
    } else if (!this.#againAfter(fault, error?.unheard === true))
      this.#answer(why === 'bad-request' ? 400 : statusOf(why), why)
  }

  drained(): void {
    this.#isWaiting = false
    this.#sink.drain()
  }

  /** False when there is no endpoint to try. */
  #try(): boolean {
    const { backend, session } = this.#decision
    const { balancer, now, random, open } = this.#upstreams
    const endpoints = balancer.of(backend)
    const before = session?.endpoint
    const index = before !== undefined && !this.#tried.has(before) ? before : endpoints.pick(now(), random, this.#tried)
    const endpoint = index === undefined ? undefined : backend.endpoints[index]
    if (index === undefined || endpoint === undefined) return false
    this.#tried.add(index)
    this.#tries++
    const send = (sink: ResponseSink): Exchange => open(backend, endpoint, this.#head, sink)
    this.#attempt = new Attempt(endpoint, index, endpoints, this.#timeLeft(), now, this, send)
    this.#takes = true
    for (const chunk of this.#kept ?? []) this.#takes = this.#attempt.exchange.write(chunk)
    if (this.#trailers !== undefined) this.#attempt.exchange.end(this.#trailers)
    return true
  }

  /** Milliseconds for the next try, 0 for no limit. */
  #timeLeft(): number {
    const { requestTimeout, backendTimeout } = this.#decision
    const left = requestTimeout === 0 ? 0 : Math.max(1, requestTimeout - (this.#upstreams.now() - this.#since))
    this.#limit = left === 0 || (backendTimeout !== 0 && backendTimeout < left) ? 'backend-timeout' : 'request-timeout'
    return this.#limit === 'backend-timeout' ? backendTimeout : left
  }

  /** Whether there is another try after a failure without an answer. */
  #againAfter(fault: ExchangeFault | 'overdue', isUnheard: boolean): boolean {
    const { retry, backend } = this.#decision
    if (retry !== undefined) return this.#upstreams.budget.take(this.#upstreams.now()) && this.#again()
    const untouched = fault === 'connect-failed' || fault === 'overloaded' || fault === 'unprocessed'
    // An endpoint that goes away resets what it has not taken in yet. Once only: the request may be what ends endpoints.
    const repeatable = fault === 'connection-lost' && isUnheard && !this.#wasLost && isRepeatable(this.#head)
    this.#wasLost ||= !untouched
    if (!(untouched || repeatable) || this.#kept === undefined || this.#tries >= maxUntouched) return false
    if (this.#tried.size >= backend.endpoints.length && fault !== 'unprocessed') return false
    this.#retryIn(0)
    return true
  }

  /** Whether the route has another try left, which then comes by itself. HTTPRouteRetry. */
  #again(): boolean {
    const { retry, requestTimeout, backend } = this.#decision
    if (retry === undefined || this.#kept === undefined || this.#tries > retry.attempts) return false
    const left =
      requestTimeout === 0 ? Number.POSITIVE_INFINITY : requestTimeout - (this.#upstreams.now() - this.#since)
    if (left <= 0) return false
    if (this.#tried.size >= backend.endpoints.length) this.#tried.clear()
    this.#retryIn(Math.min(retryWait(retry, this.#tries, this.#upstreams.random), left))
    return true
  }

  #retryIn(milliseconds: number): void {
    this.#attempt = undefined
    this.#retryTimer = setTimeout(() => this.#retry(), milliseconds)
  }

  #retry(): void {
    if (!this.#try()) this.#answer(503, 'no-endpoints')
    // Else the endpoint says when it takes more.
    else if (this.#isWaiting && this.#takes) this.drained()
  }

  #keep(chunk: Buffer): void {
    // Between two tries it stands nowhere else; whoever sends was told to wait.
    if (this.#bytesReceived > maxReplay && this.#attempt !== undefined) this.#kept = undefined
    this.#kept?.push(chunk)
  }

  #mirror(backend: Backend): Mirror | undefined {
    const { balancer, now, random, open } = this.#upstreams
    const endpoint = backend.endpoints[balancer.of(backend).pick(now(), random) ?? -1]
    return endpoint && new Mirror((sink) => open(backend, endpoint, this.#head, sink))
  }

  /** The answer's lines as the route wants them, with the client's session. */
  #responseLines(headers: RawHeaders): RawHeaders {
    const { responseHeaders, session, backend } = this.#decision
    const index = this.#attempt && backend.endpoints.indexOf(this.#attempt.endpoint)
    const line = session && sessionValue(session, backend, index, this.#request.scheme, this.#upstreams.now())
    if (line === undefined && isEmpty(responseHeaders)) return headers
    return editedLines(headers, nothing, line ?? [], responseHeaders)
  }

  #answer(status: number, why: Why): void {
    if (this.#isOver) return
    this.#status = status
    this.#finish(why)
    const { responseHeaders } = this.#decision
    answerLocally({ status, why, responseHeaders }, this.#request, this.#hideReason, this.#sink)
  }

  #finish(why: Ending['why']): void {
    this.#isOver = true
    clearTimeout(this.#retryTimer)
    this.#over({
      status: this.#status,
      why,
      endpoint: this.#attempt?.endpoint,
      tries: this.#tries,
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
    })
  }
}

function upstreamHead(request: ClientRequest, decision: Forward, trustedHops: number): RequestHead {
  const { without, lines } = forwardedHeaders(request, trustedHops)
  return {
    method: request.method,
    target: targetOf(request, decision),
    authority: decision.authority,
    headers: editedLines(request.headers, without, lines, decision.requestHeaders),
    hasBody: request.hasBody,
    upgrade: request.upgrade,
  }
}

/** `OPTIONS *` asks about the origin, whatever path it was matched by. RFC 9112 section 3.2.4. */
function targetOf({ target }: ClientRequest, { path, query }: Forward): string {
  if (target === '*') return target
  return query === '' ? path : `${path}?${query}`
}

function whyOf(fault: ExchangeFault): Why {
  switch (fault) {
    case 'timeout':
      return 'backend-timeout'
    case 'invalid-request':
      return 'bad-request'
    case 'unprocessed':
      return 'connection-lost'
    case 'overloaded':
    case 'connect-failed':
    case 'tls-failed':
    case 'connection-lost':
    case 'invalid-response':
      return fault
  }
}
