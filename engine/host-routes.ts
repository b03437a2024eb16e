import type { Host, Match } from '../proto/gen/route_table.ts'
import { PathIndex } from './paths.ts'
import { type MatchedRequest, pathHolds, predicatesHold } from './predicates.ts'
import { CompiledRule } from './rule.ts'

/** Up to this many matches are tried one by one. */
const FEW = 8

/** A Host of the table: which of its matches takes a request, and the rule behind each. Built as requests need it. */
export class HostRoutes {
  readonly host: Host
  #paths: PathIndex | undefined
  readonly #rules: CompiledRule[] = []

  constructor(host: Host) {
    this.host = host
  }

  /** The first match in table order that holds. */
  find(request: MatchedRequest): Match | undefined {
    const { matches } = this.host
    if (matches.length > FEW) {
      this.#paths ??= new PathIndex(matches)
      return matches[this.#paths.find(request)]
    }
    for (const match of matches) {
      if (predicatesHold(match, request) && pathHolds(match.path, request.facts.path, request.patterns)) return match
    }
    return undefined
  }

  /** `index` is Match.rule, which the table's reader has checked. */
  rule(index: number): CompiledRule {
    const known = this.#rules[index]
    if (known !== undefined) return known
    const rule = this.host.rules[index]
    if (rule === undefined) throw new RangeError(`Host ${this.host.hostname} has no rule ${index}`)
    const compiled = new CompiledRule(this.host, rule)
    this.#rules[index] = compiled
    return compiled
  }
}
