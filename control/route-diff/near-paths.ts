import { PatternError } from '../../engine/regex/cursor.ts'
import { parse } from '../../engine/regex/parser.ts'
import { literalPrefix } from '../../engine/regex/syntax.ts'
import type { ChainMatch } from './chain.ts'
import type { TextTest } from './text-test.ts'

/** The matches of a chain by what their paths begin with, to find those that may share a path. */
export class NearPaths {
  /** Indexes in order of their literals. */
  readonly #sorted: readonly number[]
  readonly #literals: readonly string[]
  readonly #byLiteral: ReadonlyMap<string, readonly number[]>
  /** By path. */
  readonly #known = new Map<string, readonly number[]>()

  constructor(matches: readonly ChainMatch[]) {
    this.#literals = matches.map(({ conditions }) => literalOf(conditions.path))
    this.#sorted = [...matches.keys()].sort((a, b) => (this.#literal(a) < this.#literal(b) ? -1 : 1))
    this.#byLiteral = Map.groupBy(matches.keys(), (index) => this.#literal(index))
  }

  /** Indexes, ascending, of all matches that may take a path that `path` takes too, and maybe some more. */
  of(path: TextTest | undefined): readonly number[] {
    const key = path === undefined ? '' : `${path.kind} ${path.value}`
    let found = this.#known.get(key)
    if (found === undefined) {
      found = this.#search(path)
      this.#known.set(key, found)
    }
    return found
  }

  #search(path: TextTest | undefined): readonly number[] {
    const literal = literalOf(path)
    const found = path?.kind === 'exact' ? [] : this.#from(literal)
    for (let length = 0; length <= literal.length; length++) {
      const own = this.#byLiteral.get(literal.slice(0, length))
      if (own !== undefined && (length < literal.length || path?.kind === 'exact')) found.push(...own)
    }
    return found.sort((a, b) => a - b)
  }

  /** Those whose literal begins with `literal`. */
  #from(literal: string): number[] {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#literal(this.#sorted[middle]) < literal) low = middle + 1
      else high = middle
    }
    const found: number[] = []
    for (let at = low; this.#sorted[at] !== undefined && this.#literal(this.#sorted[at]).startsWith(literal); at++)
      found.push(this.#sorted[at] ?? 0)
    return found
  }

  #literal(index: number | undefined): string {
    return this.#literals[index ?? -1] ?? ''
  }
}

/** Every path that passes begins with this. */
function literalOf(path: TextTest | undefined): string {
  if (path?.kind !== 'regex') return path?.value ?? ''
  try {
    return literalPrefix(parse(path.value)).text
  } catch (error) {
    if (error instanceof PatternError) return ''
    throw error
  }
}
