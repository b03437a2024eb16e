import { type CharSet, pairsOf } from '../../engine/regex/char-set.ts'
import { type AliveSet, Nfa } from '../../engine/regex/nfa.ts'
import { parse } from '../../engine/regex/parser.ts'
import { construct } from '../../engine/regex/program.ts'
import { compileRegex } from '../../engine/regex/regex.ts'

/** From here on a state is not told apart from others any more: the pattern is too large to look into. */
const MOST_STATES = 5000

/** A pattern as an automaton to walk through, its states numbered from 0 in the order in which they are met. */
export class PatternAutomaton {
  readonly #nfa: Nfa
  readonly #sets: AliveSet[] = []
  readonly #numbers = new Map<string, number>()
  readonly #accepting: (boolean | undefined)[] = []
  /** By state and class of characters. */
  readonly #next: Map<number, number>[] = []
  /** Members of the pattern's classes, for those that no list of common characters has. */
  readonly ends: readonly number[]
  readonly begin: number | undefined

  private constructor(nfa: Nfa, sets: readonly CharSet[]) {
    this.#nfa = nfa
    this.ends = [...new Set(sets.flatMap((set) => [...pairsOf(set)].flat()))]
    const start = nfa.emptySet()
    nfa.begin(start)
    this.begin = this.#numberOf(start)
  }

  /** undefined for a pattern that matches nothing because it is not taken. */
  static of(pattern: string): PatternAutomaton | undefined {
    if (!compileRegex(pattern).ok) return undefined
    const program = construct(parse(pattern))
    const sets = new Set(program.states.flatMap((state) => (state.type === 'take' ? [state.set] : [])))
    return new PatternAutomaton(new Nfa(program), [...sets])
  }

  /** Characters of one class lead to the same states everywhere. */
  classOf(code: number): number {
    return this.#nfa.alphabet.classOf(code)
  }

  /** undefined where nothing that follows can match. Throws PatternTooLarge. */
  step(state: number, code: number): number | undefined {
    const taken = this.classOf(code)
    const known = this.#next[state]?.get(taken)
    if (known !== undefined) return known === DEAD ? undefined : known
    const from = this.#sets[state]
    if (from === undefined) return undefined
    const into = this.#nfa.emptySet()
    this.#nfa.step(from, taken, into)
    const next = this.#numberOf(into)
    this.#next[state]?.set(taken, next ?? DEAD)
    return next
  }

  /** Whether a value that ends here matches. */
  accepts(state: number): boolean {
    const set = this.#sets[state]
    const accepting = this.#accepting[state] ?? (set !== undefined && this.#nfa.accepts(set))
    this.#accepting[state] = accepting
    return accepting
  }

  #numberOf(set: AliveSet): number | undefined {
    if (set.size === 0) return undefined
    const states = set.states.slice(0, set.size).sort()
    const key = `${this.#nfa.looksBack ? set.before : 0} ${states.join()}`
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    if (this.#sets.length >= MOST_STATES) throw new PatternTooLarge()
    this.#numbers.set(key, this.#sets.length)
    this.#next.push(new Map())
    return this.#sets.push(set.copy()) - 1
  }
}

const DEAD = -1

/** An automaton of more states than are looked at. */
export class PatternTooLarge extends Error {
  override readonly name = 'PatternTooLarge'
}
