import type { BackendRef, Rule, SessionPersistence } from '../proto/gen/route_table.ts'
import { BackendLink } from './backend-link.ts'
import type { Matched, RetryPolicy } from './decision.ts'
import type { Filters, SharedFilters } from './filters.ts'
import { shardHash } from './shards.ts'

/** A rule of a Host with all that can be known before a request comes. */
export class CompiledRule {
  readonly matched: Matched
  /** The rule's own; a Target has them too, and then its own. */
  readonly filters: Filters
  readonly targets: readonly Target[]
  /** The only target that has a weight. */
  readonly certain: Target | undefined
  /** As Rule.invalid. */
  readonly invalid: string
  /** Milliseconds, 0 is none. */
  readonly requestTimeout: number
  readonly backendTimeout: number
  readonly retry: RetryPolicy | undefined
  readonly session: SessionPersistence | undefined

  constructor(listener: string, hostname: string, rule: Rule, shared: SharedFilters) {
    const { route, index, name, timeouts, retry } = rule
    this.matched = { listener, hostname, route, rule: index, ruleName: name }
    this.filters = shared.of(rule.filters)
    this.targets = rule.backends.map((ref) => new Target(ref, rule, this.filters, shared))
    const weighted = this.targets.filter(({ weight }) => weight > 0)
    this.certain = weighted.length === 1 ? weighted[0] : undefined
    this.invalid = rule.invalid
    this.requestTimeout = timeouts?.requestMs ?? 0
    this.backendTimeout = timeouts?.backendRequestMs ?? 0
    this.retry = retry && { codes: retry.codes, attempts: retry.attempts, backoff: retry.backoffMs }
    this.session = rule.session
  }
}

/** Where a rule may send a request: one of its backendRefs. */
export class Target extends BackendLink {
  readonly weight: number
  /** As BackendRef.invalid. */
  readonly invalid: string
  readonly filters: Filters
  /** As Session.scope. */
  readonly scope: number

  constructor(ref: BackendRef, rule: Rule, ruleFilters: Filters, shared: SharedFilters) {
    super(ref.backend)
    this.weight = ref.weight
    this.invalid = ref.invalid
    this.filters = ref.filters.length === 0 ? ruleFilters : shared.of([...rule.filters, ...ref.filters])
    this.scope = shardHash(`${rule.route} ${rule.name === '' ? rule.index : rule.name} ${ref.backend}`)
  }
}
