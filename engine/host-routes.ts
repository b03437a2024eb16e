import { Host, Match, Rule } from '../proto/gen/route_table.ts'
import type { SharedFilters } from './filters.ts'
import { PathIndex } from './paths.ts'
import { type MatchedRequest, pathMayHold, restHolds } from './predicates.ts'
import { RankedMatch, Strings } from './ranked-match.ts'
import { CompiledRule } from './rule.ts'
import { type FieldRange, fieldsOf, HostField, part } from './wire.ts'

/** Up to this many matches are tried one by one. */
const FEW = 8
/** From this many on, rules wait until a request meets them. */
const MANY = 100

/**
 * A Host of the table, made ready piece by piece as requests need it: its matches with the first request for the host, a
 * rule with the first that meets it. Until then they stay as they came, for decoded they take ten times the memory.
 */
export class HostRoutes {
  /** Host.listener. */
  readonly listener: string
  /** Host.hostname. */
  readonly hostname: string
  /** The same hostname on another listener. */
  readonly next: HostRoutes | undefined
  readonly #filters: SharedFilters
  readonly #bytes: Uint8Array
  readonly #range: FieldRange
  #matches: PathIndex | readonly RankedMatch[] | undefined
  /** By Match.rule. */
  #rules: (CompiledRule | FieldRange)[] = []

  /** `bytes` from `range.start` to `range.end` are a Host, which the reader of its shard has checked. */
  constructor(
    listener: string,
    hostname: string,
    next: HostRoutes | undefined,
    filters: SharedFilters,
    bytes: Uint8Array,
    range: FieldRange,
  ) {
    this.listener = listener
    this.hostname = hostname
    this.next = next
    this.#filters = filters
    this.#bytes = bytes
    this.#range = range
  }

  /** The first match in table order that holds. */
  find(request: MatchedRequest): RankedMatch | undefined {
    this.#matches ??= this.#decodeMatches()
    if (this.#matches instanceof PathIndex) return this.#matches.find(request)
    for (const match of this.#matches) if (pathMayHold(match, request) && restHolds(match, request)) return match
    return undefined
  }

  /** The rule behind a match of this Host. */
  rule(match: RankedMatch): CompiledRule {
    match.rule ??= this.#readyRule(match.ruleIndex)
    return match.rule
  }

  /** The rule of a Host of connections or datagrams: its one match has no conditions. */
  streamRule(): CompiledRule | undefined {
    this.#matches ??= this.#decodeMatches()
    const match = this.#matches instanceof PathIndex ? undefined : this.#matches[0]
    return match && this.rule(match)
  }

  /** All of it, for those who have time. */
  decode(): Host {
    return Host.decode(part(this.#bytes, this.#range))
  }

  #decodeMatches(): PathIndex | readonly RankedMatch[] {
    const matches: RankedMatch[] = []
    const strings = new Strings()
    for (const field of fieldsOf(this.#bytes, this.#range.start, this.#range.end)) {
      if (field.number === HostField.rules) this.#rules.push(field)
      else if (field.number === HostField.matches) {
        matches.push(new RankedMatch(Match.decode(part(this.#bytes, field)), matches.length, strings))
      }
    }
    // Of most Hosts a request will need all in a while, and then it had better stand close together in memory.
    if (matches.length <= MANY) for (const match of matches) this.rule(match)
    return matches.length > FEW ? new PathIndex(matches) : matches
  }

  #readyRule(index: number): CompiledRule {
    const rule = this.#rules[index]
    if (rule === undefined) throw new RangeError(`Host "${this.hostname}" has no rule ${index}`)
    if (rule instanceof CompiledRule) return rule
    const compiled = new CompiledRule(this.listener, this.hostname, Rule.decode(part(this.#bytes, rule)), this.#filters)
    this.#rules[index] = compiled
    return compiled
  }
}
