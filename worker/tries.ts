import type { Forward, RetryPolicy, Session, Why } from '../engine/decision.ts'
import { type BackendEndpoints, type EndpointBalancer, type Outcome, outcomeOfStatus } from '../engine/endpoints.ts'
import type { RetryBudget } from '../engine/retry-budget.ts'
import { retryWait } from '../engine/retry-wait.ts'
import { Origin } from '../proto/gen/route_table.ts'
import { type Deadline, deadlineOf } from './deadline.ts'
import { connectorFailure, type Origins, type Outgoing } from './origin.ts'

/** A request's body up to this size, in bytes, is kept for a retry; a larger one, or one of unknown size, is sent once. */
const maxReplay = 64 * 1024

/** What the tries of all requests of an isolate share. */
export interface Upstreams {
  readonly origins: Origins
  readonly balancer: EndpointBalancer
  readonly budget: RetryBudget
  readonly now: () => number
  readonly random: () => number
}

export interface LastTry {
  /** The origin's. */
  readonly response: Response | undefined
  /** Why there is none. */
  readonly failure: Why | undefined
  /** Index into the backend's endpoints, where the connector was the way. */
  readonly endpoint: number | undefined
  /** Still running while the body comes. */
  readonly deadline: Deadline | undefined
}

/** Tries once, and again as HTTPRouteRetry says: on its codes and on failures of the connection. The request came at
 *  `since`, in milliseconds since the epoch. */
export function tryOrigins(
  forward: Forward,
  outgoing: Outgoing,
  upstreams: Upstreams,
  since: number,
): Promise<LastTry> {
  return forward.retry === undefined
    ? tryOnce(forward, outgoing, undefined, since, since, upstreams)
    : tryRepeatedly(forward, forward.retry, outgoing, since, upstreams)
}

async function tryRepeatedly(
  forward: Forward,
  retry: RetryPolicy,
  outgoing: Outgoing,
  since: number,
  upstreams: Upstreams,
): Promise<LastTry> {
  const { backend } = forward
  const { now, budget } = upstreams
  const body = await replayable(outgoing)
  if (body === undefined) return tryOnce(forward, outgoing, undefined, since, now(), upstreams)

  const tried = new Set<number>()
  budget.requested(since)
  for (let attempt = 0; ; attempt++) {
    const last = await tryOnce(forward, { ...outgoing, body }, tried, since, now(), upstreams)
    const failed = last.response === undefined
    const unwelcome = failed || retry.codes.includes(last.response.status)
    const left = forward.requestTimeout === 0 ? Number.POSITIVE_INFINITY : forward.requestTimeout - (now() - since)
    if (!unwelcome || attempt === retry.attempts || left <= 0) return last
    // Codes are tried again because the route says so; failures only as far as that cannot become a storm.
    if (failed && !budget.take(now())) return last
    last.deadline?.clear()
    await last.response?.body?.cancel()
    const wait = retryWait(retry, attempt + 1, upstreams.random)
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(wait, left)))
    if (tried.size >= backend.endpoints.length) tried.clear()
  }
}

async function tryOnce(
  forward: Forward,
  outgoing: Outgoing,
  tried: Set<number> | undefined,
  since: number,
  began: number,
  { origins, balancer, now, random }: Upstreams,
): Promise<LastTry> {
  const { backend, authority, session } = forward
  const deadline = deadlineOf(forward, since, began)
  const endpoints = backend.origin === Origin.CONNECTOR ? balancer.of(backend) : undefined
  const endpoint = endpoints && choose(endpoints, session, tried, began, random)
  const asked = endpoint === undefined ? undefined : backend.endpoints[endpoint]
  if (endpoint !== undefined) {
    tried?.add(endpoint)
    endpoints?.started(endpoint)
  }
  let response: Response | undefined
  let failure: Why | undefined
  let outcome: Outcome
  try {
    response = await origins.send(backend, asked, outgoing, authority, began, deadline?.signal)
    const status = response?.status ?? 0
    failure = response === undefined ? 'connector-refused' : connectorFailure(backend, response, status)
    outcome = failure === undefined ? outcomeOfStatus(status) : outcomeOf(failure)
  } catch {
    failure = deadline?.passed === true ? 'backend-timeout' : 'connect-failed'
    outcome = outcomeOf(failure)
  }
  if (endpoint !== undefined) endpoints?.finished(endpoint, outcome, now())
  return { response: failure === undefined ? response : undefined, failure, endpoint, deadline }
}

/** What a failure says about the endpoint that was asked. */
function outcomeOf(failure: Why): Outcome {
  if (failure === 'backend-timeout') return 'timed-out'
  if (failure === 'tls-failed') return 'connect-failed'
  return failure === 'connect-failed' || failure === 'connection-lost' ? failure : 'abandoned'
}

/** A session goes where it went before, unless that has just failed. */
function choose(
  endpoints: BackendEndpoints,
  session: Session | undefined,
  tried: ReadonlySet<number> | undefined,
  now: number,
  random: () => number,
): number | undefined {
  const before = session?.endpoint
  return before !== undefined && tried?.has(before) !== true ? before : endpoints.pick(now, random, tried)
}

/** The body of a request that may be sent more than once; undefined when it may not. */
async function replayable({ method, headers, body }: Outgoing): Promise<ArrayBuffer | null | undefined> {
  if (body === null || body === undefined) return body
  const length = Number(headers.get('content-length') ?? Number.NaN)
  return mayHaveBody(method) && length <= maxReplay ? new Response(body).arrayBuffer() : undefined
}

/** Whether fetch() lets one give such a request a body. */
export const mayHaveBody = (method: string): boolean => method !== 'GET' && method !== 'HEAD'
