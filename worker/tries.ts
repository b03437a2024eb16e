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

export interface LastTry extends Answer {
  /** Index into the backend's endpoints, where the connector was the way. */
  readonly endpoint: number | undefined
  /** Still running while the body comes. */
  readonly deadline: Deadline | undefined
}

/** Tries once, and again as HTTPRouteRetry says: on its codes and on failures of the connection. */
export async function tryOrigins(forward: Forward, outgoing: Request, upstreams: Upstreams): Promise<LastTry> {
  const { retry, backend } = forward
  const { now, budget } = upstreams
  const since = now()
  const body = retry === undefined ? undefined : await replayable(outgoing)
  if (retry === undefined || body === undefined) return tryOnce(forward, outgoing, undefined, since, upstreams)

  const tried = new Set<number>()
  budget.requested(since)
  for (let attempt = 0; ; attempt++) {
    const last = await tryOnce(forward, withBody(outgoing, body), tried, since, upstreams)
    const failed = last.response === undefined
    const unwelcome = failed || retry.codes.includes(last.response.status)
    const left = forward.requestTimeout === 0 ? Number.POSITIVE_INFINITY : forward.requestTimeout - (now() - since)
    if (!unwelcome || attempt === retry.attempts || left <= 0) return last
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
  outgoing: Request,
  tried: Set<number> | undefined,
  since: number,
  { origins, balancer, now, random }: Upstreams,
): Promise<LastTry> {
  const { backend, authority, session } = forward
  const deadline = deadlineOf(forward, since, now())
  const endpoint =
    backend.origin === Origin.CONNECTOR ? choose(backend, session, tried, balancer, now(), random) : undefined
  if (endpoint === undefined) {
    const answer = await origins.send(backend, undefined, outgoing, authority, deadline?.signal)
    return { ...answer, endpoint, deadline }
  }
  tried?.add(endpoint)
  balancer.started(backend, endpoint)
  const answer = await origins.send(backend, backend.endpoints[endpoint], outgoing, authority, deadline?.signal)
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
  balancer: EndpointBalancer,
  now: number,
  random: () => number,
): number | undefined {
  const before = session?.endpoint
  return before !== undefined && tried?.has(before) !== true ? before : balancer.pick(backend, now, random, tried)
}

/** The body of a request that may be sent more than once; undefined when it may not. */
async function replayable(outgoing: Request): Promise<ArrayBuffer | null | undefined> {
  if (outgoing.body === null) return null
  const length = Number(outgoing.headers.get('content-length') ?? Number.NaN)
  return mayHaveBody(outgoing) && length <= maxReplay ? outgoing.arrayBuffer() : undefined
}

/** Whether fetch() lets one give such a request a body. A GET only keeps the one that it came with. */
export const mayHaveBody = ({ method }: Request): boolean => method !== 'GET' && method !== 'HEAD'

/** The same request with another body, and headers of its own. */
export const withBody = ({ url, method, headers }: Request, body: BodyInit | null): Request =>
  new Request(url, { method, headers, body, redirect: 'manual' })
