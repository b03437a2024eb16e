import { Alphabet } from './alphabet.ts'
import { type CharSet, NEWLINE, WORD } from './char-set.ts'
import type { Program } from './program.ts'
import { MATCH } from './program.ts'
import type { Assertion } from './syntax.ts'

/** What stands on one side of a position in a value, as far as assertions care. */
export const Side = { unknown: 0, edge: 1, newline: 2, word: 3, other: 4 } as const
export type Side = (typeof Side)[keyof typeof Side]

/** The states that are alive at one position of a value. */
export class AliveSet {
  readonly states: Uint16Array
  size = 0
  /** What stands before the position. */
  before: Side = Side.edge
  /** Whether some states wait for the next character to know if their assertion holds. */
  waiting = false

  constructor(capacity: number) {
    this.states = new Uint16Array(capacity)
  }

  copy(): AliveSet {
    const copy = new AliveSet(this.size)
    copy.states.set(this.states.subarray(0, this.size))
    copy.size = this.size
    copy.before = this.before
    copy.waiting = this.waiting
    return copy
  }
}

const Op = { match: 0, take: 1, split: 2, assert: 3 } as const

/**
 * Runs a program over classes of characters by keeping all states that are alive ("parallel simulation"): each
 * character costs at most one visit to each state.
 */
export class Nfa {
  readonly alphabet: Alphabet
  readonly size: number
  /** Whether what stands before a position matters to a later assertion. */
  readonly looksBack: boolean
  /** Visits to states so far: the work done. */
  visits = 0

  readonly #start: number
  readonly #op: Uint8Array
  readonly #next: Uint16Array
  readonly #other: Uint16Array
  readonly #assertions: readonly (Assertion | undefined)[]
  /**
   * Two numbers for each state that takes a character: where its row in #accepted begins (-1 for other states), and the
   * next state, inverted unless that takes a character, too.
   */
  readonly #takes: Int32Array
  /** A bit for each class. */
  readonly #accepted: Int32Array
  readonly #sideOf: readonly Side[]

  /** In which round of #follow a state was seen last. */
  readonly #seen: Int32Array
  #round = 0
  readonly #stack: Uint16Array
  readonly #resolved: AliveSet

  constructor(program: Program) {
    const { states } = program
    const assertions = states.map((state) => (state.type === 'assert' ? state.assertion : undefined))
    const sets = new Set(states.flatMap((state) => (state.type === 'take' ? [state.set] : [])))
    this.looksBack = assertions.some((assertion) => assertion?.endsWith('word-boundary'))
    const looksForLines = assertions.some((assertion) => assertion?.startsWith('line'))
    const distinguished = [...sets, ...(this.looksBack ? [WORD] : []), ...(looksForLines ? [NEWLINE] : [])]

    this.alphabet = new Alphabet(distinguished)
    this.size = states.length
    this.#start = program.start
    this.#assertions = assertions
    this.#op = Uint8Array.from(states, (state) => Op[state.type])
    this.#next = Uint16Array.from(states, (state) => (state.type === 'match' ? MATCH : state.next))
    this.#other = Uint16Array.from(states, (state) => (state.type === 'split' ? state.other : MATCH))

    const words = Math.ceil(this.alphabet.size / 32)
    this.#accepted = new Int32Array(sets.size * words)
    const rows = new Map<CharSet, number>()
    for (const set of sets) {
      const row = rows.size * words
      rows.set(set, row)
      for (const number of this.alphabet.classesOf(set)) {
        const word = row + (number >>> 5)
        this.#accepted[word] = (this.#accepted[word] ?? 0) | (1 << (number & 31))
      }
    }
    this.#takes = Int32Array.from(
      states.flatMap((state) =>
        state.type === 'take'
          ? [rows.get(state.set) ?? 0, this.#op[state.next] === Op.take ? state.next : ~state.next]
          : [-1, 0],
      ),
    )

    const newlines = looksForLines ? this.alphabet.classesOf(NEWLINE) : new Set()
    const wordCharacters = this.looksBack ? this.alphabet.classesOf(WORD) : new Set()
    this.#sideOf = Array.from({ length: this.alphabet.size }, (_, number) =>
      newlines.has(number) ? Side.newline : wordCharacters.has(number) ? Side.word : Side.other,
    )
    this.#seen = new Int32Array(states.length)
    this.#stack = new Uint16Array(states.length)
    this.#resolved = this.emptySet()
  }

  emptySet(): AliveSet {
    return new AliveSet(this.size)
  }

  /** What is alive before the first character. */
  begin(into: AliveSet): void {
    this.#clear(into, Side.edge)
    this.#follow(this.#start, Side.unknown, into)
  }

  /** What is alive after a character of the class `taken`. `from` and `into` are two sets. */
  step(from: AliveSet, taken: number, into: AliveSet): void {
    const side = this.#sideOf[taken] ?? Side.other
    const alive = this.#resolve(from, side)
    this.#clear(into, side)
    const accepted = this.#accepted
    const takes = this.#takes
    const seen = this.#seen
    const round = this.#round
    const word = taken >>> 5
    const bit = 1 << (taken & 31)
    const { states, size } = alive
    const reached = into.states
    let { size: count } = into
    this.visits += size
    for (let i = 0; i < size; i++) {
      const at = 2 * (states[i] ?? 0)
      const row = takes[at] ?? -1
      if (row < 0 || ((accepted[row + word] ?? 0) & bit) === 0) continue
      const next = takes[at + 1] ?? 0
      if (next < 0) {
        into.size = count
        this.#follow(~next, Side.unknown, into)
        count = into.size
      } else if (seen[next] !== round) {
        seen[next] = round
        reached[count++] = next
      }
    }
    into.size = count
  }

  /** Whether the value matches if it ends here. */
  accepts(alive: AliveSet): boolean {
    const { states, size } = this.#resolve(alive, Side.edge)
    return states.subarray(0, size).includes(MATCH)
  }

  /** The set with its assertions decided, now that it is known what comes after. */
  #resolve(alive: AliveSet, after: Side): AliveSet {
    if (!alive.waiting) return alive
    this.#clear(this.#resolved, alive.before)
    for (let i = 0; i < alive.size; i++) this.#follow(alive.states[i] ?? 0, after, this.#resolved)
    return this.#resolved
  }

  #clear(set: AliveSet, before: Side): void {
    set.size = 0
    set.before = before
    set.waiting = false
    this.#round++
  }

  /** Adds the states that are reached from `start` without taking a character. */
  #follow(start: number, after: Side, into: AliveSet): void {
    const stack = this.#stack
    const seen = this.#seen
    const round = this.#round
    if (seen[start] === round) return
    seen[start] = round
    let depth = 0
    stack[depth++] = start
    while (depth > 0) {
      const state = stack[--depth] ?? 0
      this.visits++
      let next = -1
      switch (this.#op[state]) {
        case Op.split: {
          const other = this.#other[state] ?? 0
          if (seen[other] !== round) {
            seen[other] = round
            stack[depth++] = other
          }
          next = this.#next[state] ?? 0
          break
        }
        case Op.assert: {
          const holds = this.#holds(state, into.before, after)
          if (holds === undefined) {
            into.waiting = true
            into.states[into.size++] = state
          } else if (holds) next = this.#next[state] ?? 0
          break
        }
        default:
          into.states[into.size++] = state
      }
      if (next >= 0 && seen[next] !== round) {
        seen[next] = round
        stack[depth++] = next
      }
    }
  }

  /** Whether an assertion holds; undefined while that depends on a character not yet known. */
  #holds(state: number, before: Side, after: Side): boolean | undefined {
    const assertion = this.#assertions[state]
    if (assertion === 'text-start') return before === Side.edge
    if (assertion === 'line-start') return before === Side.edge || before === Side.newline
    if (after === Side.unknown) return undefined
    if (assertion === 'text-end') return after === Side.edge
    if (assertion === 'line-end') return after === Side.edge || after === Side.newline
    const boundary = (before === Side.word) !== (after === Side.word)
    return assertion === 'word-boundary' ? boundary : !boundary
  }
}
