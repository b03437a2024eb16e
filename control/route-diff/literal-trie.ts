import type { TextTest } from './text-test.ts'

interface Node {
  readonly next: Map<number, Node>
  isExact: boolean
  isPrefix: boolean
}

/** Where a text stands among the literals; undefined when it has left them all. */
export type TriePlace = Node | undefined

const SLASH = 0x2f

const node = (): Node => ({ next: new Map(), isExact: false, isPrefix: false })

/** Texts that are not wanted: whole ones, and all below prefixes. Any number of them costs one step a character. */
export class LiteralTrie {
  readonly #root = node()

  add({ kind, value }: TextTest): void {
    let at = this.#root
    for (const character of value) {
      const code = character.codePointAt(0) ?? 0
      let next = at.next.get(code)
      if (next === undefined) {
        next = node()
        at.next.set(code, next)
      }
      at = next
    }
    if (kind === 'exact') at.isExact = true
    else at.isPrefix = true
  }

  get begin(): TriePlace {
    return this.#root
  }

  /** False where all that follows is unwanted. */
  mayStep(place: TriePlace, code: number): boolean {
    return !(place?.isPrefix === true && code === SLASH)
  }

  step(place: TriePlace, code: number): TriePlace {
    return place?.next.get(code)
  }

  mayEnd(place: TriePlace): boolean {
    return place === undefined || !(place.isExact || place.isPrefix)
  }

  /** Characters that lead further along a literal. */
  expected(place: TriePlace): Iterable<number> {
    return place === undefined ? [] : place.next.keys()
  }
}
