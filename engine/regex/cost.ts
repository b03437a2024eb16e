import type { Node } from './syntax.ts'

/** The length of value, in characters, that MAX_COST is a bound for: more than a request line or a header may have. */
export const VALUE_LENGTH = 65_536
/** 250 visits to states for each character; a visit takes a few nanoseconds, so the dearest value takes some 60 ms. */
export const MAX_COST = 250 * VALUE_LENGTH

/**
 * An upper bound on the visits to states that a value of VALUE_LENGTH characters can cost. A state is alive only
 * between the smallest and the largest number of characters that lead to it, so a long list of literals is cheap and
 * `.*x.{1000}` is dear. Takes time in proportion to the automaton's states.
 */
export function worstCost(node: Node): number {
  const estimate = new Estimate()
  estimate.add(node, { least: 0, most: 0 })
  return estimate.visits
}

/** After how many characters of a value: from `least` to `most`. */
interface Span {
  readonly least: number
  readonly most: number
}

class Estimate {
  visits = 0

  /** Counts what `node` costs when it begins within `span`, and returns where it ends. */
  add(node: Node, span: Span): Span {
    switch (node.type) {
      case 'empty':
        return span
      case 'set':
        this.#state(span)
        return { least: span.least + 1, most: span.most + 1 }
      case 'assert':
        this.#state(span)
        return span
      case 'sequence':
        return node.parts.reduce((at, part) => this.add(part, at), span)
      case 'choice': {
        const ends = node.branches.map((branch) => {
          this.#state(span)
          return this.add(branch, span)
        })
        return { least: Math.min(...ends.map((end) => end.least)), most: Math.max(...ends.map((end) => end.most)) }
      }
      case 'repeat': {
        const endless = node.max === Number.POSITIVE_INFINITY
        const copies = endless ? Math.max(1, node.min) : node.max
        let end = span
        let { least } = span
        for (let copy = 1; copy <= copies; copy++) {
          const loops = endless && copy === copies
          if (loops) end = { least: end.least, most: VALUE_LENGTH }
          if (loops || copy > node.min) this.#state(end)
          end = this.add(node.body, end)
          if (copy <= node.min) least = end.least
        }
        return { least, most: end.most }
      }
    }
  }

  #state(alive: Span): void {
    if (alive.least <= VALUE_LENGTH) this.visits += Math.min(alive.most, VALUE_LENGTH) - alive.least + 1
  }
}
