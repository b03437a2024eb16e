import type { Decision, HeaderEdit, Matched, Session } from '../../engine/decision.ts'
import type { RequestFacts } from '../../engine/facts.ts'
import type { Backend, BackendRef, Filter, Host, Rule } from '../../proto/gen/route_table.ts'
import { ruleKey } from './rule-pairs.ts'
import { hostKey, type TableSide } from './table-side.ts'

/** What becomes of a request, whatever is drawn. Two requests have one fate when their fates are equal as JSON. */
export type Fate = readonly Branch[]

export interface Branch {
  /** Of such requests, above 0 up to 1. */
  readonly share: number
  readonly outcome: Outcome
}

export type Outcome = ForwardFate | RedirectFate | RespondFate

export interface ForwardFate {
  readonly type: 'forward'
  readonly backend: Backend
  readonly authority: string
  readonly path: string
  readonly query: string
  readonly requestHeaders: HeaderEdit
  readonly responseHeaders: HeaderEdit
  readonly mirrors: readonly MirrorFate[]
  /** Milliseconds; 0 is none. */
  readonly requestTimeout: number
  readonly backendTimeout: number
  readonly retry: { readonly codes: readonly number[]; readonly attempts: number; readonly backoff: number } | undefined
  readonly session: Session | undefined
}

export interface MirrorFate {
  readonly backend: Backend
  /** Of the requests, above 0 up to 1. */
  readonly share: number
}

export interface RedirectFate {
  readonly type: 'redirect'
  readonly status: number
  readonly location: string
  readonly responseHeaders: HeaderEdit
}

export interface RespondFate {
  readonly type: 'respond'
  readonly status: number
  readonly why: string
  readonly responseHeaders: HeaderEdit
}

/** What decides on a request. */
export interface Winner {
  readonly matched: Matched
  readonly rule: Rule
}

export interface Judged {
  readonly fate: Fate
  /** undefined where no rule takes the request. */
  readonly winner: Winner | undefined
  /** Id of the listener that takes it. */
  readonly listener: string | undefined
}

/** Sessions begin at this time, in milliseconds since the epoch: no fate depends on it. */
const NOW = 0

/** What the engine makes of a request, by each draw that can change it. */
export function judge(side: TableSide, facts: RequestFacts): Judged {
  const { router } = side
  // A draw of 0 takes every mirror that may be taken.
  const first = router.decide(facts, () => 0, NOW)
  const winner = first.type === 'missing' || first.matched === undefined ? undefined : winnerOf(side, first.matched)
  const listener = router.listener(facts.scheme, facts.port, facts.authority)?.id
  const rule = winner?.rule
  const refs = rule?.backends.filter(({ weight }) => weight > 0) ?? []
  if (refs.length < 2) return { fate: [{ share: 1, outcome: outcomeOf(first, rule, refs[0]) }], winner, listener }
  const total = refs.reduce((sum, { weight }) => sum + weight, 0)
  let below = 0
  const branches = refs.map((ref): Branch => {
    const draws = [(below + ref.weight / 2) / total]
    below += ref.weight
    const decision = router.decide(facts, () => draws.pop() ?? 0, NOW)
    return { share: ref.weight, outcome: outcomeOf(decision, rule, ref) }
  })
  return { fate: merged(branches, total), winner, listener }
}

const rulesByKey = new WeakMap<Host, ReadonlyMap<string, Rule>>()

function winnerOf({ hosts }: TableSide, matched: Matched): Winner {
  const { listener, hostname, route, rule: index } = matched
  const host = hosts.get(hostKey(listener, hostname))
  let rules = host && rulesByKey.get(host)
  if (host !== undefined && rules === undefined) {
    rules = new Map(host.rules.map((each) => [ruleKey(each), each]))
    rulesByKey.set(host, rules)
  }
  const rule = rules?.get(ruleKey({ route, index }))
  if (rule === undefined) throw new TypeError(`${route} rule ${index} decides, but is not in the table`)
  return { matched, rule }
}

/** With the shares of equal outcomes added up, in an order that does not depend on that in the rule. */
export function merged(branches: readonly Branch[], total: number): Fate {
  const groups = Map.groupBy(branches, ({ outcome }) => JSON.stringify(outcome))
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, group]) => {
      const share = group.reduce((sum, branch) => sum + branch.share, 0) / total
      return group.slice(0, 1).map(({ outcome }) => ({ share, outcome }))
    })
}

function outcomeOf(decision: Decision, rule: Rule | undefined, ref: BackendRef | undefined): Outcome {
  switch (decision.type) {
    case 'missing':
      throw new TypeError(`shards ${decision.shards.join()} are missing of a whole table`)
    case 'respond': {
      const { status, why } = decision
      return { type: 'respond', status, why, responseHeaders: plainEdit(decision.responseHeaders) }
    }
    case 'redirect': {
      const { status, location } = decision
      return { type: 'redirect', status, location, responseHeaders: plainEdit(decision.responseHeaders) }
    }
    case 'forward': {
      const { type, backend, authority, path, query, requestTimeout, backendTimeout, retry, session } = decision
      return {
        type,
        backend: plainBackend(backend),
        authority,
        path,
        query,
        requestHeaders: plainEdit(decision.requestHeaders),
        responseHeaders: plainEdit(decision.responseHeaders),
        mirrors: mirrorsOf(decision.mirrors, [...(rule?.filters ?? []), ...(ref?.filters ?? [])]),
        requestTimeout,
        backendTimeout,
        retry,
        session,
      }
    }
  }
}

/** The order of endpoints and names means nothing. */
export const plainBackend = (backend: Backend): Backend => ({
  ...backend,
  endpoints: backend.endpoints.toSorted((a, b) =>
    a.address === b.address ? a.port - b.port : a.address < b.address ? -1 : 1,
  ),
})

/** Names of headers are the same in any case, and edits of different headers in any order. */
function plainEdit({ remove, set, add }: HeaderEdit): HeaderEdit {
  const lines = (edits: HeaderEdit['set']): HeaderEdit['set'] =>
    edits
      .map(([name, value]): [string, string] => [name.toLowerCase(), value])
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return { remove: remove.map((name) => name.toLowerCase()).sort(), set: lines(set), add: lines(add) }
}

/** Those that the engine takes at a draw of 0, with the share that it takes of others. */
function mirrorsOf(taken: readonly Backend[], filters: readonly Filter[]): readonly MirrorFate[] {
  const left = [...taken]
  const mirrors: MirrorFate[] = []
  for (const { kind } of filters) {
    const [next] = left
    if (next === undefined) break
    if (kind?.$case !== 'mirror' || kind.value.backend !== next.key) continue
    const { numerator, denominator } = kind.value
    if (numerator === 0 && denominator > 0) continue
    left.shift()
    mirrors.push({ backend: plainBackend(next), share: numerator >= denominator ? 1 : numerator / denominator })
  }
  return mirrors.sort((a, b) =>
    a.backend.key < b.backend.key ? -1 : a.backend.key > b.backend.key ? 1 : a.share - b.share,
  )
}

/** Keys of the backends that get the request or a copy. */
export const reachedBackends = (outcome: Outcome): readonly string[] =>
  outcome.type === 'forward'
    ? [outcome.backend, ...outcome.mirrors.map(({ backend }) => backend)].map(({ key }) => key)
    : []

export const sameFate = (a: Fate, b: Fate): boolean => JSON.stringify(a) === JSON.stringify(b)
