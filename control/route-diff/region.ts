import { type Alphabet, headerAlphabet, pathAlphabet, queryAlphabet } from './alphabets.ts'
import type { Conditions, ValueTest } from './conditions.ts'
import type { TextSearch } from './text-search.ts'
import { type Expressions, isBelow, sameTest, type TextTest, textHolds } from './text-test.ts'

/** Requests that some matches take and others do not. */
export interface Region {
  readonly inside: readonly Conditions[]
  readonly outside: Iterable<Conditions>
  /** Where the header "host" says what the region's authority does. */
  readonly host: string
}

/** The parts of a request that matches look at. */
export interface Sample {
  readonly method: string
  readonly path: string
  readonly headers: ReadonlyMap<string, string>
  readonly query: ReadonlyMap<string, string>
}

/** 'none' is proof that the region is empty. */
export type Sampled = Sample | 'none' | 'unknown'

/** Ways to keep out of matches that one search tries. */
const MOST_TRIES = 200

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']

/** Finds a request in a region. */
export class RegionSearch {
  readonly #texts: TextSearch
  readonly #expressions: Expressions

  constructor(texts: TextSearch, expressions: Expressions) {
    this.#texts = texts
    this.#expressions = expressions
  }

  find({ inside, outside, host }: Region): Sampled {
    const methods = new Set(inside.flatMap(({ method }) => (method === '' ? [] : [method])))
    if (methods.size > 1) return 'none'
    const all = [...outside]
    const [method] = methods
    if (method !== undefined) return this.#findBy(method, inside, all, host)
    // A method that no match names keeps out of all that name one; but people know GET better.
    const found = this.#findBy('GET', inside, all, host)
    const named = new Set(all.map((conditions) => conditions.method))
    if (typeof found !== 'string' || !named.has('GET')) return found
    return this.#findBy(freeMethod(named), inside, all, host)
  }

  #findBy(method: string, inside: readonly Conditions[], outside: readonly Conditions[], host: string): Sampled {
    const parts = this.#parts(inside, host)
    if (parts === undefined) return 'none'
    const clauses: Option[][] = []
    for (const conditions of outside) {
      if (conditions.method !== '' && conditions.method !== method) continue
      const options = this.#options(conditions, parts, host)
      if (options === undefined) continue
      if (options.length === 0) return 'none'
      clauses.push(options)
    }
    const found = new Choice(this.#texts, this.#expressions, parts, clauses).solve()
    if (typeof found === 'string') return found
    const values = { header: new Map<string, string>(), query: new Map<string, string>() }
    let path = '/'
    for (const [part, text] of found) {
      if (part.part === 'path') path = text
      else values[part.part].set(part.name, text)
    }
    return { method, path, headers: values.header, query: values.query }
  }

  /** undefined when nothing can be like that. */
  #parts(inside: readonly Conditions[], host: string): readonly Part[] | undefined {
    const holds = inside.flatMap(({ path }) => path ?? [])
    const parts: Part[] = [{ part: 'path', name: '', holds, alphabet: pathAlphabet, start: '/' }]
    const byName = Map.groupBy(
      inside.flatMap(({ values }) => values),
      ({ part, name }) => `${part} ${name}`,
    )
    for (const tests of byName.values()) {
      const [first] = tests
      if (first === undefined) continue
      const { part, name } = first
      const wanted = tests.map(({ test }) => test)
      if (isHost(part, name)) {
        if (!wanted.every((test) => textHolds(test, host, this.#expressions))) return undefined
        continue
      }
      const alphabet = part === 'header' ? headerAlphabet : queryAlphabet
      parts.push({ part, name, holds: wanted, alphabet, start: '' })
    }
    return parts.every((part) => this.#isPossible(part)) ? parts : undefined
  }

  #isPossible({ holds }: Part): boolean {
    const exact = exactOf(holds)
    return exact === undefined || holds.every((test) => textHolds(test, exact, this.#expressions))
  }

  /** The ways to keep a request out of a match; undefined when it is out of it anyway. */
  #options({ path, values }: Conditions, parts: readonly Part[], host: string): Option[] | undefined {
    const options: Option[] = []
    const wanted = path === undefined ? values : [{ part: 'path', name: '', test: path } as const, ...values]
    for (const { part, name, test } of wanted) {
      if (part !== 'path' && isHost(part, name)) {
        if (!textHolds(test, host, this.#expressions)) return undefined
        continue
      }
      const place = parts.find((each) => each.part === part && each.name === name)
      // Nothing wants it, so it is left away.
      if (place === undefined) return undefined
      const relation = this.#relation(place.holds, test)
      if (relation === 'apart') return undefined
      if (relation === 'open') options.push({ part: place, test })
    }
    return options
  }

  /** Whether texts that pass some tests pass another: always, never, or that is open. */
  #relation(holds: readonly TextTest[], test: TextTest): 'within' | 'apart' | 'open' {
    const exact = exactOf(holds)
    if (exact !== undefined) return textHolds(test, exact, this.#expressions) ? 'within' : 'apart'
    for (const held of holds) {
      if (sameTest(held, test)) return 'within'
      if (held.kind !== 'prefix' || test.kind === 'regex') continue
      if (test.kind === 'prefix' && isBelow(held.value, test.value)) return 'within'
      if (!isBelow(test.value, held.value)) return 'apart'
    }
    return 'open'
  }
}

const exactOf = (tests: readonly TextTest[]): string | undefined => tests.find(({ kind }) => kind === 'exact')?.value

const isHost = (part: ValueTest['part'], name: string): boolean => part === 'header' && name === 'host'

function freeMethod(named: ReadonlySet<string>): string {
  const known = METHODS.find((method) => !named.has(method))
  if (known !== undefined) return known
  for (let number = 1; ; number++) if (!named.has(`X${number}`)) return `X${number}`
}

/** A part of a request that has to be found. */
interface Part {
  readonly part: 'path' | ValueTest['part']
  readonly name: string
  readonly holds: readonly TextTest[]
  readonly alphabet: Alphabet
  readonly start: string
}

/** A test that a part is to fail. */
interface Option {
  readonly part: Part
  readonly test: TextTest
}

type Texts = ReadonlyMap<Part, string>

/** Of each clause one option is to be taken. */
class Choice {
  readonly #texts: TextSearch
  readonly #expressions: Expressions
  readonly #parts: readonly Part[]
  readonly #open: readonly (readonly Option[])[]
  readonly #fails = new Map<Part, TextTest[]>()
  #tries = 0

  constructor(
    texts: TextSearch,
    expressions: Expressions,
    parts: readonly Part[],
    clauses: readonly (readonly Option[])[],
  ) {
    this.#texts = texts
    this.#expressions = expressions
    this.#parts = parts
    this.#open = clauses.filter(({ length }) => length > 1)
    for (const part of parts) this.#fails.set(part, [])
    for (const [option, other] of clauses) if (option !== undefined && other === undefined) this.#take(option)
  }

  solve(): Texts | 'none' | 'unknown' {
    if (++this.#tries > MOST_TRIES) return 'unknown'
    const texts = new Map<Part, string>()
    let isUnknown = false
    for (const part of this.#parts) {
      const found = this.#texts.find(
        { holds: part.holds, fails: this.#fails.get(part) ?? [] },
        part.alphabet,
        part.start,
      )
      if (found === 'none') return 'none'
      if (found === 'unknown') isUnknown = true
      else texts.set(part, found.text)
    }
    if (isUnknown) return 'unknown'
    const unmet = this.#open.find((options) => options.every(({ part, test }) => this.#holds(part, test, texts)))
    if (unmet === undefined) return texts
    for (const option of unmet) {
      this.#take(option)
      const found = this.solve()
      this.#leave(option)
      if (found === 'unknown') isUnknown = true
      else if (found !== 'none') return found
    }
    return isUnknown ? 'unknown' : 'none'
  }

  #holds(part: Part, test: TextTest, texts: Texts): boolean {
    return textHolds(test, texts.get(part) ?? '', this.#expressions)
  }

  #take({ part, test }: Option): void {
    this.#fails.get(part)?.push(test)
  }

  #leave({ part }: Option): void {
    this.#fails.get(part)?.pop()
  }
}
