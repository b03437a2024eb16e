import { AliveSet, Nfa } from './nfa.ts'
import type { Program } from './program.ts'

/** Bound on the memory of one cache, in bytes. */
const CACHE_BYTES = 256 * 1024
/** Rough cost of a state besides its arrays. */
const STATE_BYTES = 200
/** A cache that serves fewer characters than this for each of its states before it is full does not pay. */
const WORTHWHILE_USES = 10

const UNKNOWN = 0
const DEAD = 1
/** What stands for both among the sets. */
const NOTHING = new AliveSet(0)

/**
 * A deterministic automaton whose states are sets of the NFA's, made when a value first reaches them. When the cache
 * is full it is emptied; when that happens too fast, the value at hand is finished on the NFA. Either way a value
 * costs time in proportion to its length.
 */
export class LazyDfa {
  readonly #nfa: Nfa
  readonly #width: number
  /** Next state by state * #width + class: UNKNOWN, DEAD or a number from 2. */
  #table: Int32Array
  #sets: AliveSet[] = []
  #accepting: boolean[] = []
  readonly #numbers = new Map<string, number>()
  #bytes = 0
  #begin = UNKNOWN
  /** Characters read in the cache's whole life, and then when it was emptied last. */
  #read = 0
  #readBefore = 0
  #target: AliveSet
  #spare: AliveSet
  readonly #key: Uint16Array

  constructor(program: Program) {
    this.#nfa = new Nfa(program)
    this.#width = this.#nfa.alphabet.size
    this.#table = new Int32Array(0)
    this.#target = this.#nfa.emptySet()
    this.#spare = this.#nfa.emptySet()
    this.#key = new Uint16Array(Math.ceil(program.states.length / 16) + 1)
    this.#empty()
  }

  /** Visits to states of the NFA so far: the work done besides one look into the cache for each character. */
  get visits(): number {
    return this.#nfa.visits
  }

  test(value: string): boolean {
    const { alphabet } = this.#nfa
    const { ascii } = alphabet
    const width = this.#width
    const { length } = value
    if (this.#begin === UNKNOWN) {
      this.#nfa.begin(this.#target)
      this.#begin = this.#target.size === 0 ? DEAD : this.#add(this.#keyOf(this.#target))
    }
    let state = this.#begin
    let table = this.#table
    for (let at = 0; at < length; at++) {
      const unit = value.charCodeAt(at)
      let taken: number
      if (unit < 128) taken = ascii[unit] ?? 0
      else {
        const code = value.codePointAt(at) ?? unit
        if (code > 0xffff) at++
        taken = alphabet.classOf(code)
      }
      let next = table[state * width + taken] ?? UNKNOWN
      if (next === UNKNOWN) {
        next = this.#compute(state, taken, at)
        if (next === UNKNOWN) return this.#simulate(value, at + 1)
        table = this.#table
      }
      if (next === DEAD) {
        this.#read += at
        return false
      }
      state = next
    }
    this.#read += length
    return this.#accepting[state] ?? false
  }

  /** The state after a character; UNKNOWN when the cache cannot pay, and then the target is in #target. */
  #compute(state: number, taken: number, at: number): number {
    this.#nfa.step(this.#sets[state] ?? NOTHING, taken, this.#target)
    const key = this.#keyOf(this.#target)
    let next = this.#target.size === 0 ? DEAD : (this.#numbers.get(key) ?? UNKNOWN)
    if (next === UNKNOWN && this.#bytes > CACHE_BYTES) {
      const uses = this.#read + at - this.#readBefore
      if (uses < this.#sets.length * WORTHWHILE_USES) return UNKNOWN
      this.#readBefore += uses
      this.#empty()
      return this.#add(key)
    }
    if (next === UNKNOWN) next = this.#add(key)
    this.#table[state * this.#width + taken] = next
    return next
  }

  /** Reads the rest of the value without the cache, from what is alive in #target. */
  #simulate(value: string, from: number): boolean {
    for (let at = from; at < value.length && this.#target.size > 0; ) {
      const code = value.codePointAt(at) ?? 0
      at += code > 0xffff ? 2 : 1
      this.#nfa.step(this.#target, this.#nfa.alphabet.classOf(code), this.#spare)
      const spare = this.#target
      this.#target = this.#spare
      this.#spare = spare
    }
    this.#read += value.length
    return this.#nfa.accepts(this.#target)
  }

  #add(key: string): number {
    const number = this.#sets.length
    this.#sets.push(this.#target.copy())
    this.#accepting.push(this.#nfa.accepts(this.#target))
    this.#numbers.set(key, number)
    this.#bytes += STATE_BYTES + 4 * this.#width + 2 * this.#target.size + 2 * key.length
    const needed = (number + 1) * this.#width
    if (needed > this.#table.length) {
      const larger = new Int32Array(2 * needed)
      larger.set(this.#table)
      this.#table = larger
    }
    return number
  }

  #empty(): void {
    this.#table = new Int32Array(0)
    this.#sets = [NOTHING, NOTHING]
    this.#accepting = [false, false]
    this.#numbers.clear()
    this.#bytes = 0
    this.#begin = UNKNOWN
  }

  /** The same for two sets of the same states, in whatever order: a bit for each state, and what stands before. */
  #keyOf({ states, size, before }: AliveSet): string {
    const key = this.#key.fill(0)
    for (let i = 0; i < size; i++) {
      const state = states[i] ?? 0
      key[state >>> 4] = (key[state >>> 4] ?? 0) | (1 << (state & 15))
    }
    key[key.length - 1] = this.#nfa.looksBack ? before : 0
    return String.fromCharCode(...key)
  }
}
