import type { Forward, Session } from '../engine/decision.ts'
import { type EndpointBalancer, type Outcome, outcomeOfStatus } from '../engine/endpoints.ts'
import type { RetryBudget } from '../engine/retry-budget.ts'
import { type Backend, Origin } from '../proto/gen/route_table.ts'
import { type Deadline, deadlineOf } from './deadline.ts'
import type { Answer, Origins } from './origin.ts'

/** A request's body up to this size, in bytes, is kept for a retry; a larger one, or one of unknown size, is sent once. */
const maxReplay = 64 * 1024
/** The longest wait between two tries, in milliseconds. */
const maxBackoff = 10_000

/** What the tries of all requests of an isolate share. */
export interface Upstreams {
  readonly origins: Origins
  readonly balancer: EndpointBalancer
  readonly budget: RetryBudget
  readonly now: () => number
  readonly random: () => number
}

/** What one request sends upstream. */
export interface Outgoing {
  readonly method: string
  readonly scheme: string
  readonly headers: Headers
  readonly body: ReadableStream | null
  /** As Message.carrier; the body is null then. */
  readonly carrier: Request | undefined
}

export interface LastTry extends Answer {
  /** Index into the backend's endpoints, where the connector was the way. */
  readonly endpoint: number | undefined
  /** Still running while the body comes. */
  readonly deadline: Deadline | undefined
}

/** Tries once, and again as HTTPRouteRetry says: on its codes and on failures of the connection. */
export async function tryOrigins(forward: Forward, outgoing: Outgoing, upstreams: Upstreams): Promise<LastTry> {
  const { retry, backend } = forward
  const { now, budget } = upstreams
  const since = now()
  if (retry === undefined) return tryOnce(forward, outgoing, outgoing.body, undefined, since, upstreams)

  const body = await replayable(outgoing)
  const onceOnly = body instanceof ReadableStream || outgoing.carrier !== undefined
  const tried = new Set<number>()
  budget.requested(since)
  for (let attempt = 0; ; attempt++) {
    const last = await tryOnce(
      forward,
      { ...outgoing, headers: new Headers(outgoing.headers) },
      body,
      tried,
      since,
      upstreams,
    )
    const failed = last.response === undefined
    const unwelcome = failed || retry.codes.includes(last.response.status)
    const left = forward.requestTimeout === 0 ? Number.POSITIVE_INFINITY : forward.requestTimeout - (now() - since)
    if (!unwelcome || attempt === retry.attempts || onceOnly || left <= 0) return last
    // Codes are tried again because the route says so; failures only as far as that cannot become a storm.
    if (failed && !budget.take(now())) return last
    last.deadline?.clear()
    await last.response?.body?.cancel()
    const wait = Math.min(retry.backoff * 2 ** attempt, maxBackoff) * (0.75 + upstreams.random() / 2)
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(wait, left)))
    if (tried.size >= backend.endpoints.length) tried.clear()
  }
}

async function tryOnce(
  forward: Forward,
  outgoing: Outgoing,
  body: BodyInit | null,
  tried: Set<number> | undefined,
  since: number,
  upstreams: Upstreams,
): Promise<LastTry> {
  const { backend } = forward
  const { balancer, now } = upstreams
  const endpoint = backend.origin === Origin.CONNECTOR ? choose(backend, forward.session, tried, upstreams) : undefined
  const deadline = deadlineOf(forward, since, now())
  const message = { ...outgoing, body, target: forward, signal: deadline?.signal ?? null }
  if (endpoint === undefined)
    return { ...(await upstreams.origins.send(backend, endpoint, message)), endpoint, deadline }

  tried?.add(endpoint)
  balancer.started(backend, endpoint)
  const answer = await upstreams.origins.send(backend, endpoint, message)
  balancer.finished(backend, endpoint, outcomeOf(answer), now())
  return { ...answer, endpoint, deadline }
}

/** What an answer says about the endpoint that was asked. */
function outcomeOf({ response, failure }: Answer): Outcome {
  if (response !== undefined) return outcomeOfStatus(response.status)
  if (failure === 'backend-timeout') return 'timed-out'
  return failure === 'connect-failed' || failure === 'connection-lost' ? failure : 'abandoned'
}

/** A session goes where it went before, unless that has just failed. */
function choose(
  backend: Backend,
  session: Session | undefined,
  tried: ReadonlySet<number> | undefined,
  { balancer, now, random }: Upstreams,
): number | undefined {
  const before = session?.endpoint
  return before !== undefined && tried?.has(before) !== true ? before : balancer.pick(backend, now(), random, tried)
}

/** A small body as bytes that can be sent again; otherwise the stream, which cannot. */
async function replayable({ body, headers }: Outgoing): Promise<ReadableStream | ArrayBuffer | null> {
  const length = Number(headers.get('content-length') ?? Number.NaN)
  return body !== null && length <= maxReplay ? new Response(body).arrayBuffer() : body
}
