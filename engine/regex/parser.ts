import { bracketClass } from './bracket-class.ts'
import { ANY, ANY_BUT_NEWLINE, type CharSet } from './char-set.ts'
import { Cursor, DIGITS, NAME_CHARACTERS, PatternError } from './cursor.ts'
import { escapedCharacter, escapedClass } from './escapes.ts'
import { type Assertion, choice, type Node, repeat, sequence } from './syntax.ts'
import { foldCase } from './unicode.ts'

/** Bounds on a pattern: UTF-16 code units, groups inside groups, and the count in {n,m} (the last as in RE2). */
export const MAX_LENGTH = 8192
const MAX_DEPTH = 200
const MAX_REPEAT = 1000

/** Parses RE2's syntax (https://github.com/google/re2/wiki/Syntax). Throws PatternError. */
export function parse(pattern: string): Node {
  if (pattern.length > MAX_LENGTH) {
    throw new PatternError(`the pattern is longer than ${MAX_LENGTH} characters`, MAX_LENGTH)
  }
  return new Parser(pattern).parse()
}

interface Flags {
  readonly i: boolean
  readonly m: boolean
  readonly s: boolean
}

const ESCAPED_ASSERTION: ReadonlyMap<string, Assertion> = new Map([
  ['A', 'text-start'],
  ['z', 'text-end'],
  ['b', 'word-boundary'],
  ['B', 'not-word-boundary'],
])

/** What follows "(?" in groups that other dialects have. */
const FOREIGN_GROUP: readonly (readonly [start: string, what: string])[] = [
  ['=', 'lookahead, which is not supported; match the whole value instead, or add a second match to the rule'],
  ['!', 'negative lookahead, which is not supported; use a negated class such as [^/], or a more specific rule before'],
  ['<=', 'lookbehind, which is not supported; match the whole value instead'],
  ['<!', 'negative lookbehind, which is not supported; match the whole value instead'],
  ['>', 'an atomic group, which is not supported and not needed: matching is linear-time; use (?:…)'],
  ['|', 'a branch reset, which is not supported; use (?:…)'],
  ['#', 'a comment, which is not supported'],
  ['P=', 'a backreference, which is not supported; spell the alternatives out'],
  ['P>', 'recursion, which is not supported'],
  ['&', 'recursion, which is not supported'],
  ['R', 'recursion, which is not supported'],
  ['(', 'a conditional, which is not supported; use alternatives: (?:…|…)'],
]

class Parser {
  readonly #cursor: Cursor
  #depth = 0
  #flags: Flags = { i: false, m: false, s: false }
  /** Where the \E of the \Q stands in which the parser is; -1 outside. */
  #quoteEnd = -1
  readonly #names = new Set<string>()
  readonly #literals = new Map<string, Node>()

  constructor(pattern: string) {
    this.#cursor = new Cursor(pattern)
  }

  parse(): Node {
    const node = this.#alternatives()
    if (!this.#cursor.ended) throw new PatternError('")" closes no group', this.#cursor.at)
    return node
  }

  #alternatives(): Node {
    const branches = [this.#branch()]
    while (this.#cursor.take('|')) branches.push(this.#branch())
    return choice(branches)
  }

  #branch(): Node {
    const parts: Node[] = []
    for (;;) {
      if (this.#cursor.at === this.#quoteEnd) this.#leaveQuote()
      else if (this.#quoteEnd >= 0) parts.push(this.#repetition(this.#literal(this.#cursor.character())))
      else if (this.#cursor.ended || this.#cursor.sees('|') || this.#cursor.sees(')')) return sequence(parts)
      else if (this.#cursor.take('\\Q')) {
        const end = this.#cursor.text.indexOf('\\E', this.#cursor.at)
        this.#quoteEnd = end < 0 ? this.#cursor.text.length : end
      } else {
        const atom = this.#atom()
        if (atom !== undefined) parts.push(this.#repetition(atom))
      }
    }
  }

  #leaveQuote(): void {
    this.#quoteEnd = -1
    this.#cursor.take('\\E')
  }

  /** One atom; undefined for flags, which stand for nothing themselves. */
  #atom(): Node | undefined {
    const at = this.#cursor.at
    if (this.#cursor.take('(')) return this.#group(at)
    if (this.#cursor.sees('[')) return { type: 'set', set: bracketClass(this.#cursor, this.#flags.i) }
    if (this.#cursor.take('.')) return { type: 'set', set: this.#flags.s ? ANY : ANY_BUT_NEWLINE }
    if (this.#cursor.take('^')) return { type: 'assert', assertion: this.#flags.m ? 'line-start' : 'text-start' }
    if (this.#cursor.take('$')) return { type: 'assert', assertion: this.#flags.m ? 'line-end' : 'text-end' }
    if (this.#cursor.sees('*') || this.#cursor.sees('+') || this.#cursor.sees('?')) {
      throw new PatternError(
        `"${this.#cursor.text[at]}" has nothing to repeat; write \\${this.#cursor.text[at]} for itself`,
        at,
      )
    }
    if (this.#cursor.sees('\\')) return this.#escape()
    return this.#literal(this.#cursor.character())
  }

  #literal(code: number): Node {
    const key = `${this.#flags.i} ${code}`
    const known = this.#literals.get(key)
    if (known !== undefined) return known
    const set: CharSet = this.#flags.i ? foldCase([code, code]) : [code, code]
    const node: Node = { type: 'set', set }
    this.#literals.set(key, node)
    return node
  }

  // Repetition

  #repetition(atom: Node): Node {
    // Inside \Q…\E the operators stand for themselves; after it they repeat the last character.
    if (this.#cursor.at === this.#quoteEnd) this.#leaveQuote()
    if (this.#quoteEnd >= 0) return atom
    const at = this.#cursor.at
    const bounds = this.#bounds()
    if (bounds === undefined) return atom
    this.#cursor.take('?')
    const after = this.#cursor.at
    if (this.#cursor.sees('+')) {
      throw new PatternError(
        'possessive repetition is not supported and not needed: matching is linear-time; leave the "+" out',
        after,
      )
    }
    if (this.#bounds() !== undefined) {
      throw new PatternError('a repetition cannot be repeated; put the first in a group: (?:…)', after)
    }
    return repeat(atom, bounds.min, bounds.max, at)
  }

  #bounds(): { min: number; max: number } | undefined {
    if (this.#cursor.take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#cursor.take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#cursor.take('?')) return { min: 0, max: 1 }
    const at = this.#cursor.at
    const counted = this.#cursor.take('{') ? this.#counts() : undefined
    // As in RE2, a "{" that begins no repetition stands for itself.
    if (counted === undefined) this.#cursor.at = at
    else if (counted.min > MAX_REPEAT || (Number.isFinite(counted.max) && counted.max > MAX_REPEAT)) {
      throw new PatternError(`a count may be ${MAX_REPEAT} at most`, at)
    } else if (counted.max < counted.min) {
      throw new PatternError(`the counts {${counted.min},${counted.max}} are in the wrong order`, at)
    }
    return counted
  }

  #counts(): { min: number; max: number } | undefined {
    const min = this.#count()
    if (min === undefined) return undefined
    if (this.#cursor.take('}')) return { min, max: min }
    if (!this.#cursor.take(',')) return undefined
    if (this.#cursor.take('}')) return { min, max: Number.POSITIVE_INFINITY }
    const max = this.#count()
    return max !== undefined && this.#cursor.take('}') ? { min, max } : undefined
  }

  #count(): number | undefined {
    const digits = this.#cursor.run(DIGITS)
    return digits === '' || (digits.length > 1 && digits.startsWith('0')) ? undefined : Number(digits)
  }

  // Groups

  #group(at: number): Node | undefined {
    const before = this.#flags
    if (this.#cursor.take('?')) {
      const named =
        this.#cursor.take('P<') ||
        (this.#cursor.sees('<') && !this.#cursor.sees('<=') && !this.#cursor.sees('<!') && this.#cursor.take('<'))
      if (named) this.#groupName()
      else if (!this.#groupFlags(at)) return undefined
    } else if (this.#cursor.sees('*')) {
      throw new PatternError('"(*" begins a verb of other dialects, which is not supported', at)
    }
    if (++this.#depth > MAX_DEPTH) throw new PatternError(`groups are nested deeper than ${MAX_DEPTH}`, at)
    const body = this.#alternatives()
    if (!this.#cursor.take(')')) throw new PatternError('"(" is not closed', at)
    this.#depth--
    this.#flags = before
    return body
  }

  #groupName(): void {
    const at = this.#cursor.at
    const name = this.#cursor.run(NAME_CHARACTERS)
    if (name === '' || !this.#cursor.take('>')) {
      throw new PatternError('a group name is made of letters, digits and "_", and ends with ">"', at)
    }
    if (this.#names.has(name)) throw new PatternError(`the group name "${name}" is used twice`, at)
    this.#names.add(name)
  }

  /** Reads "flags:" or "flags)"; false for the latter, which makes no group. */
  #groupFlags(at: number): boolean {
    for (const [start, what] of FOREIGN_GROUP) {
      if (this.#cursor.sees(start)) throw new PatternError(`"(?${start}" begins ${what}`, at)
    }
    let value = true
    for (;;) {
      const flagAt = this.#cursor.at
      if (this.#cursor.take(':')) return true
      if (this.#cursor.take(')')) return false
      if (value && this.#cursor.take('-')) value = false
      else if (this.#cursor.take('i')) this.#flags = { ...this.#flags, i: value }
      else if (this.#cursor.take('m')) this.#flags = { ...this.#flags, m: value }
      else if (this.#cursor.take('s')) this.#flags = { ...this.#flags, s: value }
      // Swaps greedy and lazy, which are the same for a whole match.
      else if (!this.#cursor.take('U')) {
        const found = this.#cursor.text[flagAt]
        if (found === undefined) throw new PatternError('"(" is not closed', at)
        throw new PatternError(`"${found}" is not a flag; the flags are i, m, s and U`, flagAt)
      }
    }
  }

  #escape(): Node {
    const at = this.#cursor.at
    const letter = this.#cursor.text[at + 1] ?? ''
    const assertion = ESCAPED_ASSERTION.get(letter)
    if (assertion !== undefined) {
      this.#cursor.at += 2
      return { type: 'assert', assertion }
    }
    const set = escapedClass(this.#cursor, this.#flags.i)
    return set === undefined ? this.#literal(escapedCharacter(this.#cursor)) : { type: 'set', set }
  }
}
