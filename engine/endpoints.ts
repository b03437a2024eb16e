import type { Backend } from '../proto/gen/route_table.ts'

/** How one try at an endpoint ended. */
export type Outcome =
  | 'answered'
  /** It answered 502, 503 or 504. */
  | 'gateway-error'
  | 'connect-failed'
  | 'connection-lost'
  | 'timed-out'
  /** The client went away first, which says nothing about the endpoint. */
  | 'abandoned'

export const outcomeOfStatus = (status: number): Outcome =>
  status === 502 || status === 503 || status === 504 ? 'gateway-error' : 'answered'

/** When an endpoint is left out, and for how long. */
export interface EjectionPolicy {
  /** Consecutive failures that eject an endpoint. */
  readonly failures: number
  /** Whether a gateway error is such a failure. */
  readonly gatewayErrors: boolean
  /** Milliseconds of the first ejection; the second in a row takes twice as long, and so on up to `longest`. */
  readonly base: number
  readonly longest: number
  /** Never more than this share of a backend's endpoints is ejected. */
  readonly share: number
}

export const defaultEjection: EjectionPolicy = {
  failures: 5,
  gatewayErrors: true,
  base: 30_000,
  longest: 300_000,
  share: 0.5,
}

/** How many backends are remembered from one table to the next; the one seen first is forgotten first. */
const REMEMBERED_BACKENDS = 20_000

interface EndpointState {
  outstanding: number
  /** Failures since the last success. */
  failures: number
  /** Ejections that are not made good yet by time without one. */
  ejections: number
  /** Milliseconds as `now`. */
  ejectedUntil: number
}

/** The endpoints of one backend, as indices into Backend.endpoints. */
export class BackendEndpoints {
  readonly #policy: EjectionPolicy
  readonly #endpoints: readonly EndpointState[]
  readonly byName: ReadonlyMap<string, EndpointState>
  /** Whose turn is next. */
  turn: number

  constructor(backend: Backend, policy: EjectionPolicy, before: BackendEndpoints | undefined) {
    const byName = new Map<string, EndpointState>()
    this.#policy = policy
    this.#endpoints = backend.endpoints.map(({ address, port }) => {
      const name = `${address} ${port}`
      const state = byName.get(name) ??
        before?.byName.get(name) ?? { outstanding: 0, failures: 0, ejections: 0, ejectedUntil: 0 }
      byName.set(name, state)
      return state
    })
    this.byName = byName
    this.turn = before?.turn ?? 0
  }

  /**
   * The endpoint to try next; undefined when there is none. The endpoint whose turn it is gives way to one drawn at random
   * that has fewer requests outstanding, so equal endpoints take equal turns. Those in `except` (tried already by this
   * request) and those ejected come only when there is no other.
   */
  pick(now: number, random: () => number, except?: ReadonlySet<number>): number | undefined {
    return (
      this.#pickStanding(now, random, except) ??
      this.#pickStanding(Number.POSITIVE_INFINITY, random, except) ??
      this.#pickStanding(Number.POSITIVE_INFINITY, random, undefined)
    )
  }

  #pickStanding(now: number, random: () => number, except: ReadonlySet<number> | undefined): number | undefined {
    const endpoints = this.#endpoints
    const first = next(endpoints, this.turn, now, except)
    if (first === undefined) return undefined
    this.turn = (first + 1) % endpoints.length
    const drawn = next(endpoints, Math.floor(random() * endpoints.length), now, except) ?? first
    return outstanding(endpoints, drawn) < outstanding(endpoints, first) ? drawn : first
  }

  /** To be called once for each try, before `finished`. */
  started(index: number): void {
    const endpoint = this.#endpoints[index]
    if (endpoint !== undefined) endpoint.outstanding++
  }

  finished(index: number, outcome: Outcome, now: number): void {
    const endpoint = this.#endpoints[index]
    if (endpoint === undefined) return
    endpoint.outstanding = Math.max(0, endpoint.outstanding - 1)
    if (outcome === 'abandoned') return
    if (outcome === 'answered' || (outcome === 'gateway-error' && !this.#policy.gatewayErrors)) {
      endpoint.failures = 0
      return
    }
    endpoint.failures++
    if (endpoint.failures >= this.#policy.failures && endpoint.ejectedUntil <= now) this.#eject(endpoint, now)
  }

  #eject(endpoint: EndpointState, now: number): void {
    const { base, longest, share, failures } = this.#policy
    const ejected = this.#endpoints.filter(({ ejectedUntil }) => ejectedUntil > now).length
    if (ejected + 1 > this.#endpoints.length * share) return
    const madeGood = Math.floor((now - endpoint.ejectedUntil) / base)
    endpoint.ejections = Math.max(0, endpoint.ejections - madeGood) + 1
    endpoint.ejectedUntil = now + Math.min(longest, base * endpoint.ejections)
    // Back in the set, its first failure ejects it again; a success clears it.
    endpoint.failures = failures - 1
  }
}

/**
 * Chooses among a backend's endpoints and leaves out those that keep failing. What is known of an endpoint outlives a
 * new table as long as the table still has it.
 */
export class EndpointBalancer {
  readonly #policy: EjectionPolicy
  /** A table's Backend objects never change, so each is looked up by its key once. */
  readonly #backends = new WeakMap<Backend, BackendEndpoints>()
  readonly #byKey = new Map<string, BackendEndpoints>()

  constructor(policy: EjectionPolicy = defaultEjection) {
    this.#policy = policy
  }

  of(backend: Backend): BackendEndpoints {
    const known = this.#backends.get(backend)
    if (known !== undefined) return known
    const endpoints = new BackendEndpoints(backend, this.#policy, this.#byKey.get(backend.key))
    this.#backends.set(backend, endpoints)
    this.#byKey.delete(backend.key)
    this.#byKey.set(backend.key, endpoints)
    if (this.#byKey.size > REMEMBERED_BACKENDS) this.#forgetOldest()
    return endpoints
  }

  #forgetOldest(): void {
    for (const key of this.#byKey.keys()) {
      this.#byKey.delete(key)
      return
    }
  }
}

const outstanding = (endpoints: readonly EndpointState[], index: number): number => endpoints[index]?.outstanding ?? 0

/** The first index from `start` on, around the end, that is not in `except` and not ejected at `now`. */
function next(
  endpoints: readonly EndpointState[],
  start: number,
  now: number,
  except: ReadonlySet<number> | undefined,
): number | undefined {
  for (let i = 0; i < endpoints.length; i++) {
    const index = (start + i) % endpoints.length
    if ((endpoints[index]?.ejectedUntil ?? 0) <= now && except?.has(index) !== true) return index
  }
  return undefined
}
