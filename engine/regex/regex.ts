import { MAX_COST, VALUE_LENGTH, worstCost } from './cost.ts'
import { PatternError } from './cursor.ts'
import { LazyDfa } from './dfa.ts'
import { parse } from './parser.ts'
import { construct, type Program } from './program.ts'
import { literalPrefix } from './syntax.ts'

/** A pattern in RE2's syntax, matched in time linear in the value's length whatever the pattern. */
export interface Regex {
  /** Whether the whole value matches (as Envoy and Istio do: implicitly anchored at both ends). */
  test(value: string): boolean
  /** Every match begins with this; "" when nothing is known. */
  readonly literalPrefix: string
  /** Size of the automaton. */
  readonly states: number
}

export type CompiledRegex =
  | { readonly ok: true; readonly regex: Regex }
  /** What is wrong, where in the pattern ("at character 4: …", from 1), and what would be right. */
  | { readonly ok: false; readonly error: string }

/** Never throws, whatever the pattern. */
export function compileRegex(pattern: string): CompiledRegex {
  try {
    const node = parse(pattern)
    const program = construct(node)
    if (worstCost(node) > MAX_COST) {
      return {
        ok: false,
        error: `the pattern could cost more than ${MAX_COST} steps on a value of ${VALUE_LENGTH} characters; make its counted repetitions smaller, or put an upper limit on "*" and "+" before long alternatives`,
      }
    }
    return { ok: true, regex: new AutomatonRegex(program, literalPrefix(node).text) }
  } catch (error) {
    if (error instanceof PatternError) return { ok: false, error: `at character ${error.at + 1}: ${error.message}` }
    throw error
  }
}

class AutomatonRegex implements Regex {
  readonly literalPrefix: string
  readonly #program: Program
  #dfa: LazyDfa | undefined

  constructor(program: Program, prefix: string) {
    this.#program = program
    this.literalPrefix = prefix
  }

  get states(): number {
    return this.#program.states.length
  }

  test(value: string): boolean {
    this.#dfa ??= new LazyDfa(this.#program)
    return this.#dfa.test(value)
  }
}
