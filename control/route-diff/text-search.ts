import type { Alphabet } from './alphabets.ts'
import { LiteralTrie, type TriePlace } from './literal-trie.ts'
import { PatternAutomaton, PatternTooLarge } from './pattern-automaton.ts'
import { type Expressions, isBelow, type TextTest, textHolds } from './text-test.ts'

/** What a text is to be like. */
export interface Wanted {
  readonly holds: readonly TextTest[]
  readonly fails: readonly TextTest[]
}

/** 'none' is proof that there is no such text; 'unknown' is not. */
export type Found = { readonly text: string } | 'none' | 'unknown'

/** Places that one search looks at. */
const MOST_PLACES = 4000

/** Finds the shortest texts that some patterns match and others do not. */
export class TextSearch {
  readonly #expressions: Expressions
  readonly #automata = new Map<string, PatternAutomaton | undefined>()
  readonly #known = new Map<string, Found>()

  constructor(expressions: Expressions) {
    this.#expressions = expressions
  }

  /** Every text of `alphabet` that begins with `start` and is as wanted is found, a shortest one first. */
  find(wanted: Wanted, alphabet: Alphabet, start: string): Found {
    const exact = wanted.holds.find(({ kind }) => kind === 'exact')
    if (exact !== undefined) return this.#isAs(wanted, exact.value) ? { text: exact.value } : 'none'
    const key = JSON.stringify([alphabet.name, start, wanted.holds, wanted.fails])
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const found = this.#refined(wanted, alphabet, start)
    if (this.#known.size > MOST_KNOWN) this.#known.clear()
    this.#known.set(key, found)
    return found
  }

  #isAs({ holds, fails }: Wanted, text: string): boolean {
    return (
      holds.every((test) => textHolds(test, text, this.#expressions)) &&
      !fails.some((test) => textHolds(test, text, this.#expressions))
    )
  }

  /** Of many expressions that must not match few matter, so each is taken up only when a text meets it. */
  #refined({ holds, fails }: Wanted, alphabet: Alphabet, start: string): Found {
    const literals = fails.filter(({ kind }) => kind !== 'regex')
    const expressions = fails.filter(({ kind }) => kind === 'regex')
    const active: TextTest[] = []
    for (;;) {
      const found = this.#walk({ holds, fails: [...literals, ...active] }, alphabet, start)
      if (typeof found === 'string') return found
      const met = expressions.filter((test) => textHolds(test, found.text, this.#expressions))
      if (met.length === 0) return found
      if (met.some((test) => active.includes(test))) return 'unknown'
      active.push(...met.slice(0, AT_ONCE))
    }
  }

  #walk(wanted: Wanted, alphabet: Alphabet, start: string): Found {
    const holding: PatternAutomaton[] = []
    for (const { value } of wanted.holds.filter(({ kind }) => kind === 'regex')) {
      const automaton = this.#automaton(value)
      if (automaton === undefined) return 'none'
      holding.push(automaton)
    }
    const failing = wanted.fails
      .filter(({ kind }) => kind === 'regex')
      .flatMap(({ value }) => this.#automaton(value) ?? [])
    const prefixes = wanted.holds.filter(({ kind }) => kind === 'prefix').map(({ value }) => value)
    const longest = prefixes.reduce((a, b) => (b.length > a.length ? b : a), '')
    if (!prefixes.every((prefix) => isBelow(longest, prefix))) return 'none'
    const trie = new LiteralTrie()
    for (const test of wanted.fails) if (test.kind !== 'regex') trie.add(test)
    try {
      return new Walk(holding, failing, trie, alphabet).from(longest, start)
    } catch (error) {
      if (error instanceof PatternTooLarge) return 'unknown'
      throw error
    }
  }

  #automaton(pattern: string): PatternAutomaton | undefined {
    if (!this.#automata.has(pattern)) this.#automata.set(pattern, PatternAutomaton.of(pattern))
    return this.#automata.get(pattern)
  }
}

const MOST_KNOWN = 10_000
const AT_ONCE = 4

/** How far a text has come in all automata at once. */
interface Place {
  readonly text: string
  readonly holding: readonly number[]
  /** undefined where the pattern cannot match any more, as it should. */
  readonly failing: readonly (number | undefined)[]
  readonly trie: TriePlace
  /** Whether the text must go on with a slash or end: it is a prefix by itself. */
  readonly atPrefix: boolean
}

/** A breadth-first walk: what it finds first is shortest. */
class Walk {
  readonly #holding: readonly PatternAutomaton[]
  readonly #failing: readonly PatternAutomaton[]
  readonly #trie: LiteralTrie
  readonly #alphabet: Alphabet
  /** Characters that no automaton tells apart, in order of preference. */
  readonly #classes: readonly (readonly number[])[]
  readonly #trieNumbers = new Map<TriePlace, number>()

  constructor(
    holding: readonly PatternAutomaton[],
    failing: readonly PatternAutomaton[],
    trie: LiteralTrie,
    alphabet: Alphabet,
  ) {
    this.#holding = holding
    this.#failing = failing
    this.#trie = trie
    this.#alphabet = alphabet
    const all = [...holding, ...failing]
    const others = all.flatMap(({ ends }) => ends).filter((code) => code > 0x7e && alphabet.allows(code))
    const members = Map.groupBy([...new Set([...alphabet.preferred, ...others])], (code) =>
      all.map((automaton) => automaton.classOf(code)).join(),
    )
    this.#classes = [...members.values()]
  }

  from(prefix: string, start: string): Found {
    const root = this.#root()
    if (root === undefined) return 'none'
    let first: Place | undefined = root
    const given = prefix.length >= start.length ? prefix : start
    for (const character of given) {
      if (first === undefined || !this.#trie.mayStep(first.trie, character.codePointAt(0) ?? 0)) return 'none'
      first = this.#step(first, character.codePointAt(0) ?? 0)
    }
    return first === undefined ? 'none' : this.#search({ ...first, atPrefix: prefix !== '' })
  }

  #root(): Place | undefined {
    const holding = this.#holding.flatMap(({ begin }) => begin ?? [])
    if (holding.length < this.#holding.length) return undefined
    const failing = this.#failing.map(({ begin }) => begin)
    return { text: '', holding, failing, trie: this.#trie.begin, atPrefix: false }
  }

  #search(first: Place): Found {
    let queue = [first]
    const seen = new Set([this.#keyOf(first)])
    // The empty text would do, but nobody sends it.
    const isEmptyFine = first.text === '' && this.#mayEnd(first)
    while (queue.length > 0) {
      for (const place of queue) if (place.text !== '' && this.#mayEnd(place)) return { text: place.text }
      const further: Place[] = []
      for (const place of queue) {
        for (const code of this.#characters(place)) {
          const next = this.#step(place, code)
          if (next === undefined) continue
          const key = this.#keyOf(next)
          if (seen.has(key)) continue
          if (seen.size >= MOST_PLACES) return isEmptyFine ? { text: '' } : 'unknown'
          seen.add(key)
          further.push(next)
        }
      }
      queue = further
    }
    return isEmptyFine ? { text: '' } : 'none'
  }

  #mayEnd({ text, holding, failing, trie }: Place): boolean {
    return (
      this.#trie.mayEnd(trie) &&
      (text === '' || this.#alphabet.edge(text.codePointAt(text.length - 1) ?? 0)) &&
      holding.every((state, index) => this.#holding[index]?.accepts(state)) &&
      !failing.some((state, index) => state !== undefined && this.#failing[index]?.accepts(state))
    )
  }

  /** One of each class that no literal expects, and all that one does. */
  #characters({ text, trie, atPrefix }: Place): readonly number[] {
    if (atPrefix) return this.#trie.mayStep(trie, SLASH) ? [SLASH] : []
    const expected = new Set(this.#trie.expected(trie))
    const chosen = this.#classes.flatMap((members) => {
      const free = members.find((code) => !expected.has(code) && this.#fits(text, trie, code))
      return [...(free === undefined ? [] : [free]), ...members.filter((code) => expected.has(code))]
    })
    return chosen.filter((code) => this.#fits(text, trie, code))
  }

  #fits(text: string, trie: TriePlace, code: number): boolean {
    return this.#trie.mayStep(trie, code) && (text !== '' || this.#alphabet.edge(code))
  }

  #step(place: Place, code: number): Place | undefined {
    const holding: number[] = []
    for (const [index, state] of place.holding.entries()) {
      const next = this.#holding[index]?.step(state, code)
      if (next === undefined) return undefined
      holding.push(next)
    }
    const failing = place.failing.map((state, index) =>
      state === undefined ? undefined : this.#failing[index]?.step(state, code),
    )
    const trie = this.#trie.step(place.trie, code)
    return { text: place.text + String.fromCodePoint(code), holding, failing, trie, atPrefix: false }
  }

  #keyOf({ text, holding, failing, trie, atPrefix }: Place): string {
    let number = this.#trieNumbers.get(trie)
    if (number === undefined) {
      number = this.#trieNumbers.size
      this.#trieNumbers.set(trie, number)
    }
    // Whether the last character may stand at the end counts, too.
    const isEdge = text === '' || this.#alphabet.edge(text.codePointAt(text.length - 1) ?? 0)
    return `${holding.join()} ${failing.join()} ${number} ${text === ''} ${isEdge} ${atPrefix}`
  }
}

const SLASH = 0x2f
