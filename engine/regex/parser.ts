import {
  ANY,
  ANY_BUT_NEWLINE,
  type CharSet,
  charSet,
  DIGIT,
  LAST_CODE_POINT,
  negate,
  POSIX,
  SPACE,
  WORD,
} from './char-set.ts'
import { type Assertion, choice, type Node, repeat, sequence } from './syntax.ts'
import { foldCase, unicodeProperty } from './unicode.ts'

/** Bounds on a pattern: UTF-16 code units, groups inside groups, and the count in {n,m} (the last as in RE2). */
export const MAX_LENGTH = 8192
export const MAX_DEPTH = 200
export const MAX_REPEAT = 1000

/** The pattern is not one that is taken; `at` is where, in UTF-16 code units from 0. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

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

const CONTROL: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['v', 0x0b],
])

/** By the lower-case letter; the upper-case one negates. */
const PERL_CLASS: ReadonlyMap<string, CharSet> = new Map([
  ['d', DIGIT],
  ['s', SPACE],
  ['w', WORD],
])

const ESCAPED_ASSERTION: ReadonlyMap<string, Assertion> = new Map([
  ['A', 'text-start'],
  ['z', 'text-end'],
  ['b', 'word-boundary'],
  ['B', 'not-word-boundary'],
])

/** Escapes that other dialects have, with what to write instead. */
const FOREIGN_ESCAPE: ReadonlyMap<string, string> = new Map([
  ['k', 'is a backreference, which no linear-time matcher can run; spell the alternatives out'],
  ['g', 'is a backreference, which no linear-time matcher can run; spell the alternatives out'],
  ['Z', 'is not supported; use \\z'],
  ['u', 'is not supported; use \\x{hex}'],
  ['h', 'is not supported; use [ \\t]'],
  ['R', 'is not supported; use (?:\\r\\n|[\\n\\v\\f\\r])'],
  ['C', 'is not supported: values are matched by whole characters'],
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
  readonly #pattern: string
  #at = 0
  #depth = 0
  #flags: Flags = { i: false, m: false, s: false }
  /** Where the \E of the \Q stands in which the parser is; -1 outside. */
  #quoteEnd = -1
  readonly #names = new Set<string>()
  readonly #literals = new Map<string, Node>()

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  parse(): Node {
    const node = this.#alternatives()
    if (this.#at < this.#pattern.length) throw new PatternError('")" closes no group', this.#at)
    return node
  }

  #alternatives(): Node {
    const branches = [this.#branch()]
    while (this.#take('|')) branches.push(this.#branch())
    return choice(branches)
  }

  #branch(): Node {
    const parts: Node[] = []
    for (;;) {
      if (this.#at === this.#quoteEnd) this.#leaveQuote()
      else if (this.#quoteEnd >= 0) parts.push(this.#repetition(this.#literal(this.#character())))
      else if (this.#at >= this.#pattern.length || this.#sees('|') || this.#sees(')')) return sequence(parts)
      else if (this.#take('\\Q')) {
        const end = this.#pattern.indexOf('\\E', this.#at)
        this.#quoteEnd = end < 0 ? this.#pattern.length : end
      } else {
        const atom = this.#atom()
        if (atom !== undefined) parts.push(this.#repetition(atom))
      }
    }
  }

  #leaveQuote(): void {
    this.#quoteEnd = -1
    this.#take('\\E')
  }

  /** One atom; undefined for flags, which stand for nothing themselves. */
  #atom(): Node | undefined {
    const at = this.#at
    if (this.#take('(')) return this.#group(at)
    if (this.#take('[')) return { type: 'set', set: this.#class(at) }
    if (this.#take('.')) return { type: 'set', set: this.#flags.s ? ANY : ANY_BUT_NEWLINE }
    if (this.#take('^')) return { type: 'assert', assertion: this.#flags.m ? 'line-start' : 'text-start' }
    if (this.#take('$')) return { type: 'assert', assertion: this.#flags.m ? 'line-end' : 'text-end' }
    if (this.#sees('*') || this.#sees('+') || this.#sees('?')) {
      throw new PatternError(
        `"${this.#pattern[at]}" has nothing to repeat; write \\${this.#pattern[at]} for itself`,
        at,
      )
    }
    if (this.#sees('\\')) return this.#escape()
    return this.#literal(this.#character())
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
    if (this.#at === this.#quoteEnd) this.#leaveQuote()
    if (this.#quoteEnd >= 0) return atom
    const at = this.#at
    const bounds = this.#bounds()
    if (bounds === undefined) return atom
    this.#take('?')
    const after = this.#at
    if (this.#sees('+')) {
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
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { min: 0, max: 1 }
    const at = this.#at
    const counted = this.#take('{') ? this.#counts() : undefined
    // As in RE2, a "{" that begins no repetition stands for itself.
    if (counted === undefined) this.#at = at
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
    if (this.#take('}')) return { min, max: min }
    if (!this.#take(',')) return undefined
    if (this.#take('}')) return { min, max: Number.POSITIVE_INFINITY }
    const max = this.#count()
    return max !== undefined && this.#take('}') ? { min, max } : undefined
  }

  #count(): number | undefined {
    const digits = this.#run(DIGIT_CHARACTERS)
    return digits === '' || (digits.length > 1 && digits.startsWith('0')) ? undefined : Number(digits)
  }

  // Groups

  #group(at: number): Node | undefined {
    const before = this.#flags
    if (this.#take('?')) {
      const named = this.#take('P<') || (this.#sees('<') && !this.#sees('<=') && !this.#sees('<!') && this.#take('<'))
      if (named) this.#groupName()
      else if (!this.#groupFlags(at)) return undefined
    } else if (this.#sees('*')) {
      throw new PatternError('"(*" begins a verb of other dialects, which is not supported', at)
    }
    if (++this.#depth > MAX_DEPTH) throw new PatternError(`groups are nested deeper than ${MAX_DEPTH}`, at)
    const body = this.#alternatives()
    if (!this.#take(')')) throw new PatternError('"(" is not closed', at)
    this.#depth--
    this.#flags = before
    return body
  }

  #groupName(): void {
    const at = this.#at
    const name = this.#run(NAME_CHARACTERS)
    if (name === '' || !this.#take('>')) {
      throw new PatternError('a group name is made of letters, digits and "_", and ends with ">"', at)
    }
    if (this.#names.has(name)) throw new PatternError(`the group name "${name}" is used twice`, at)
    this.#names.add(name)
  }

  /** Reads "flags:" or "flags)"; false for the latter, which makes no group. */
  #groupFlags(at: number): boolean {
    for (const [start, what] of FOREIGN_GROUP) {
      if (this.#sees(start)) throw new PatternError(`"(?${start}" begins ${what}`, at)
    }
    let value = true
    for (;;) {
      const flagAt = this.#at
      if (this.#take(':')) return true
      if (this.#take(')')) return false
      if (value && this.#take('-')) value = false
      else if (this.#take('i')) this.#flags = { ...this.#flags, i: value }
      else if (this.#take('m')) this.#flags = { ...this.#flags, m: value }
      else if (this.#take('s')) this.#flags = { ...this.#flags, s: value }
      // Swaps greedy and lazy, which are the same for a whole match.
      else if (!this.#take('U')) {
        const found = this.#pattern[flagAt]
        if (found === undefined) throw new PatternError('"(" is not closed', at)
        throw new PatternError(`"${found}" is not a flag; the flags are i, m, s and U`, flagAt)
      }
    }
  }

  // Escapes

  #escape(): Node {
    const at = this.#at
    const letter = this.#pattern[at + 1] ?? ''
    const assertion = ESCAPED_ASSERTION.get(letter)
    if (assertion !== undefined) {
      this.#at += 2
      return { type: 'assert', assertion }
    }
    const set = this.#escapedClass()
    return set === undefined ? this.#literal(this.#escapedCharacter()) : { type: 'set', set }
  }

  /** \d, \pL and their like; undefined when the escape is of another kind. */
  #escapedClass(): CharSet | undefined {
    const letter = this.#pattern[this.#at + 1] ?? ''
    if (letter === 'p' || letter === 'P') return this.#property()
    const perl = PERL_CLASS.get(letter.toLowerCase())
    if (perl === undefined) return undefined
    this.#at += 2
    return this.#named(perl, letter !== letter.toLowerCase())
  }

  /** Case is folded before the set is negated: (?i)\P{Lu} has no letter at all that is upper or lower case. */
  #named(set: CharSet, negated: boolean): CharSet {
    const folded = this.#flags.i ? foldCase(set) : set
    return negated ? negate(folded) : folded
  }

  #property(): CharSet {
    const at = this.#at
    let negated = this.#pattern[at + 1] === 'P'
    this.#at += 2
    let name: string
    if (this.#take('{')) {
      if (this.#take('^')) negated = !negated
      name = this.#run(NAME_CHARACTERS)
      if (!this.#take('}')) throw new PatternError(`"${this.#pattern.slice(at, at + 3)}" is not closed by "}"`, at)
    } else {
      name = this.#pattern[this.#at] ?? ''
      this.#at += name.length
    }
    const property = unicodeProperty(name)
    if (property === undefined) {
      throw new PatternError(
        `"${this.#pattern.slice(at, this.#at)}" is not known; general categories such as \\p{Lu} and common scripts such as \\p{Greek} are`,
        at,
      )
    }
    return this.#named(property, negated)
  }

  #escapedCharacter(): number {
    const at = this.#at++
    if (this.#at >= this.#pattern.length) throw new PatternError('"\\" ends the pattern; write \\\\ for itself', at)
    const code = this.#character()
    const letter = String.fromCodePoint(code)
    const control = CONTROL.get(letter)
    if (control !== undefined) return control
    if (letter === 'x') return this.#hexadecimal(at)
    if (letter >= '0' && letter <= '9') return this.#octal(letter, at)
    if (code < 0x80 && (letter === '_' || !NAME_CHARACTERS.includes(letter))) return code
    throw new PatternError(`"\\${letter}" ${FOREIGN_ESCAPE.get(letter) ?? 'is not an escape that is known'}`, at)
  }

  #octal(first: string, at: number): number {
    const second = this.#pattern[this.#at] ?? ''
    // As in RE2: \0 to \777, but one digit other than 0 on its own is a backreference.
    const alone = second === '' || !OCTAL_CHARACTERS.includes(second)
    if (first > '7' || (first !== '0' && alone)) {
      throw new PatternError(
        `"\\${first}" is a backreference, which no linear-time matcher can run; spell the alternatives out`,
        at,
      )
    }
    const start = this.#at
    const more = this.#run(OCTAL_CHARACTERS).slice(0, 2)
    this.#at = start + more.length
    return Number.parseInt(first + more, 8)
  }

  #hexadecimal(at: number): number {
    const braced = this.#take('{')
    const start = this.#at
    const digits = this.#run(HEX_CHARACTERS)
    if (!braced && digits.length >= 2) {
      this.#at = start + 2
      return Number.parseInt(digits.slice(0, 2), 16)
    }
    const code = Number.parseInt(digits, 16)
    if (!braced || digits === '' || !this.#take('}') || code > LAST_CODE_POINT) {
      throw new PatternError('"\\x" takes two hexadecimal digits, or up to 10FFFF in braces: \\x{1F600}', at)
    }
    return code
  }

  // Classes

  #class(at: number): CharSet {
    const negated = this.#take('^')
    const ranges: number[] = []
    const named: CharSet[] = []
    // As in RE2, a "]" at the beginning stands for itself.
    for (let first = true; first || !this.#sees(']'); first = false) {
      if (this.#at >= this.#pattern.length) throw new PatternError('"[" is not closed by "]"', at)
      const set = this.#sees('[:') ? this.#posixClass() : this.#sees('\\') ? this.#escapedClass() : undefined
      if (set !== undefined) named.push(set)
      else ranges.push(...this.#range())
    }
    this.#take(']')
    const set = charSet([this.#named(charSet(ranges), false), ...named].flat())
    return negated ? negate(set) : set
  }

  /** [:name:] or [:^name:]; undefined when it is not of that form, and "[" stands for itself. */
  #posixClass(): CharSet | undefined {
    const at = this.#at
    this.#at += 2
    const negated = this.#take('^')
    const name = this.#run(NAME_CHARACTERS)
    if (!this.#take(':]')) {
      this.#at = at
      return undefined
    }
    const set = POSIX.get(name)
    if (set === undefined) throw new PatternError(`"[:${name}:]" is not a class that is known`, at)
    return this.#named(set, negated)
  }

  #range(): [first: number, last: number] {
    const at = this.#at
    const first = this.#classCharacter()
    if (!this.#sees('-') || this.#sees('-]') || this.#at + 1 >= this.#pattern.length) return [first, first]
    this.#take('-')
    const last = this.#classCharacter()
    if (last < first) {
      throw new PatternError(`the range "${this.#pattern.slice(at, this.#at)}" is in the wrong order`, at)
    }
    return [first, last]
  }

  #classCharacter(): number {
    if (!this.#sees('\\')) return this.#character()
    const at = this.#at
    if (this.#escapedClass() !== undefined) {
      throw new PatternError(`"${this.#pattern.slice(at, this.#at)}" cannot end a range`, at)
    }
    return this.#escapedCharacter()
  }

  // The cursor

  #sees(text: string): boolean {
    return this.#pattern.startsWith(text, this.#at)
  }

  #take(text: string): boolean {
    const sees = this.#sees(text)
    if (sees) this.#at += text.length
    return sees
  }

  /** The longest run of these characters, which may be empty. */
  #run(characters: string): string {
    const start = this.#at
    while (this.#at < this.#pattern.length && characters.includes(this.#pattern[this.#at] ?? '')) this.#at++
    return this.#pattern.slice(start, this.#at)
  }

  /** The code point at the cursor, which moves past it. */
  #character(): number {
    const code = this.#pattern.codePointAt(this.#at) ?? 0
    this.#at += code > 0xffff ? 2 : 1
    return code
  }
}

const OCTAL_CHARACTERS = '01234567'
const DIGIT_CHARACTERS = '0123456789'
const HEX_CHARACTERS = '0123456789abcdefABCDEF'
const NAME_CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
