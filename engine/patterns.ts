import { compileRegex, type Regex } from './regex/regex.ts'

/** How many states of automata to keep from one turn to the next, at about half a kilobyte each once in use. */
const STATES_A_TURN = 50_000

/** The regular expressions of a table, each compiled when a request first needs it. */
export class Patterns {
  #used = new Map<string, Regex | undefined>()
  #usedBefore = new Map<string, Regex | undefined>()
  #states = 0

  /** Whether the whole of `value` matches. A pattern that does not compile, which control refuses, matches nothing. */
  test(pattern: string, value: string): boolean {
    let regex = this.#used.get(pattern)
    if (regex === undefined && !this.#used.has(pattern)) regex = this.#take(pattern)
    return regex?.test(value) === true
  }

  #take(pattern: string): Regex | undefined {
    const regex = this.#usedBefore.has(pattern) ? this.#usedBefore.get(pattern) : compiled(pattern)
    this.#states += regex?.states ?? 1
    if (this.#states > STATES_A_TURN) {
      this.#usedBefore = this.#used
      this.#used = new Map()
      this.#states = 0
    }
    this.#used.set(pattern, regex)
    return regex
  }
}

function compiled(pattern: string): Regex | undefined {
  const result = compileRegex(pattern)
  return result.ok ? result.regex : undefined
}
