import type { CharSet } from './char-set.ts'
import { PatternError } from './cursor.ts'
import type { Assertion, Node } from './syntax.ts'

/** Bound on the states of an automaton: what memory it may take. */
const MAX_STATES = 10_000

/** A state of the automaton that Thompson's construction makes ("Regular Expression Search Algorithm", 1968). */
export type State =
  | { readonly type: 'take'; readonly set: CharSet; readonly next: number }
  | { readonly type: 'assert'; readonly assertion: Assertion; readonly next: number }
  | { readonly type: 'split'; readonly next: number; readonly other: number }
  | { readonly type: 'match' }

/** Reads code points. A value matches when some path from `start` takes all of it and ends in MATCH. */
export interface Program {
  readonly states: readonly State[]
  readonly start: number
}

export const MATCH = 0

/** Throws PatternError when the automaton would be larger than MAX_STATES. */
export function construct(node: Node): Program {
  const construction = new Construction()
  const start = construction.build(node, MATCH)
  return { states: construction.states, start }
}

/** Built from the end to the beginning, so that every state knows its next one. */
class Construction {
  readonly states: State[] = [{ type: 'match' }]
  /** Where the outermost repetition stands that is being unrolled. */
  #unrolling: number | undefined

  /** Adds the states of `node`, followed by the state `next`; returns the first. */
  build(node: Node, next: number): number {
    switch (node.type) {
      case 'empty':
        return next
      case 'set':
        return this.#add({ type: 'take', set: node.set, next })
      case 'assert':
        return this.#add({ type: 'assert', assertion: node.assertion, next })
      case 'sequence':
        return node.parts.reduceRight((after, part) => this.build(part, after), next)
      case 'choice':
        return node.branches
          .map((branch) => this.build(branch, next))
          .reduceRight((other, first) => this.#add({ type: 'split', next: first, other }))
      case 'repeat': {
        const outer = this.#unrolling
        this.#unrolling ??= node.at
        const start = this.#repeat(node.body, node.min, node.max, next)
        this.#unrolling = outer
        return start
      }
    }
  }

  #repeat(body: Node, min: number, max: number, next: number): number {
    let start = next
    let copies = min
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#add({ type: 'split', next, other: next })
      const first = this.build(body, loop)
      this.states[loop] = { type: 'split', next: first, other: next }
      start = min === 0 ? loop : first
      copies = Math.max(0, min - 1)
    } else {
      for (let i = min; i < max; i++) start = this.#add({ type: 'split', next: this.build(body, start), other: next })
    }
    for (let i = 0; i < copies; i++) start = this.build(body, start)
    return start
  }

  #add(state: State): number {
    if (this.states.length >= MAX_STATES) {
      throw new PatternError(
        `the pattern needs more than ${MAX_STATES} states; make its counted repetitions smaller`,
        this.#unrolling ?? 0,
      )
    }
    return this.states.push(state) - 1
  }
}
