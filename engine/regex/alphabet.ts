import { type CharSet, pairsOf } from './char-set.ts'

/**
 * Code points in classes: two of the same class belong to the same sets of a pattern, so an automaton need not tell
 * them apart. Classes are numbered from 0.
 */
export class Alphabet {
  readonly size: number
  /** The class of each ASCII character. */
  readonly ascii: Uint16Array
  /** Where runs of code points of one class begin, ascending, and the class of each. */
  readonly #starts: Int32Array
  readonly #classes: Uint16Array

  constructor(sets: readonly CharSet[]) {
    const bounds = new Set([0])
    for (const set of sets) for (const [first, last] of pairsOf(set)) bounds.add(first).add(last + 1)
    this.#starts = Int32Array.from(bounds).sort()

    // Each set splits every class into the part inside it and the part outside.
    const split = new Int32Array(this.#starts.length)
    let used = 1
    for (const set of sets) {
      const inside = new Map<number, number>()
      for (const run of this.#runs(set)) {
        const outside = split[run] ?? 0
        const part = inside.get(outside) ?? used++
        inside.set(outside, part)
        split[run] = part
      }
    }
    const numbers = new Map<number, number>()
    this.#classes = Uint16Array.from(split, (part) => {
      const number = numbers.get(part) ?? numbers.size
      numbers.set(part, number)
      return number
    })
    this.size = numbers.size
    this.ascii = Uint16Array.from({ length: 128 }, (_, code) => this.classOf(code))
  }

  classOf(code: number): number {
    return this.#classes[this.#run(code)] ?? 0
  }

  /** The classes that a set consists of, which must be one of those given at the beginning. */
  classesOf(set: CharSet): Set<number> {
    const classes = new Set<number>()
    for (const run of this.#runs(set)) classes.add(this.#classes[run] ?? 0)
    return classes
  }

  *#runs(set: CharSet): Generator<number> {
    for (const [first, last] of pairsOf(set)) {
      for (let run = this.#run(first); (this.#starts[run] ?? Number.POSITIVE_INFINITY) <= last; run++) yield run
    }
  }

  /** Index of the run that `code` is in. */
  #run(code: number): number {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#starts[middle] ?? 0) <= code) low = middle
      else high = middle - 1
    }
    return low
  }
}
