// Patterns of interfaces are Go's, in the syntax of RE2 (github.com/google/re2/wiki/Syntax). Names of interfaces have at most 15
// octets and no white space, so that flags about lines and greed say nothing about them. What JavaScript would read otherwise is
// refused, and so is what could take it long.

/** Parts that repeat in one pattern: with a name's 15 octets a match stays below a million steps. */
const MAX_REPETITIONS = 8
/** RE2's own bound of {n,m}. */
const MAX_COUNT = 1000

const classes: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t\\x20',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  space: '\\x09-\\x0d\\x20',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
}

/** RE2's \s has no \v, unlike the class [:space:]. */
const SPACE = '\\t\\n\\f\\r\\x20'

/** Escapes that mean a set, inside a class and outside. */
const sets: Readonly<Record<string, string>> = {
  d: '\\d',
  D: '\\D',
  w: '\\w',
  W: '\\W',
  s: `[${SPACE}]`,
  S: `[^${SPACE}]`,
}

/** Escapes that mean a place. */
const places: Readonly<Record<string, string>> = { A: '^', z: '$', b: '\\b', B: '\\B' }

/** Escapes that mean one character. */
const characters: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }

/** What a pattern has that is not taken: a clause. */
class Unfit extends Error {}

/** The same pattern for JavaScript, or why there is none: a clause. */
export function interfacePattern(pattern: string): RegExp | string {
  try {
    return new Translation(pattern).whole()
  } catch (error) {
    if (error instanceof Unfit) return error.message
    if (error instanceof SyntaxError) return 'it is no regular expression'
    throw error
  }
}

class Translation {
  readonly #text: string
  #at = 0
  #repetitions = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): RegExp {
    const flags = this.#read(/\(\?([imsU]+)\)/y)?.[1] ?? ''
    const { source } = this.#alternatives()
    if (this.#at < this.#text.length) throw new Unfit('it closes a group that is not open')
    return new RegExp(source, flags.includes('i') ? 'vi' : 'v')
  }

  /** Up to the end of the group. */
  #alternatives(): { readonly source: string; readonly isPlain: boolean } {
    let source = ''
    let isPlain = true
    for (;;) {
      if (this.#at === this.#text.length || this.#text[this.#at] === ')') return { source, isPlain }
      if (this.#read(/\|/y)) {
        source += '|'
        isPlain = false
        continue
      }
      const part = this.#part()
      const repetition = this.#repetition(part.isPlain)
      source += part.source + repetition
      if (!part.isPlain || repetition !== '') isPlain = false
    }
  }

  #part(): { readonly source: string; readonly isPlain: boolean } {
    const group = this.#read(/\((?:\?P?<\w+>|\?([imsU]*)(-[imsU]+)?:)?(?!\?)/y)
    if (group !== undefined) {
      const [, on = '', off = ''] = group
      const flag = on.includes('i') ? 'i' : off.includes('i') ? '-i' : ''
      const { source, isPlain } = this.#alternatives()
      if (!this.#read(/\)/y)) throw new Unfit('a group of it has no end')
      return { source: `(?${flag}:${source})`, isPlain }
    }
    if (this.#text[this.#at] === '(')
      throw new Unfit('it looks around, or sets flags within; RE2 or this agent does not')
    return { source: this.#single(), isPlain: true }
  }

  #single(): string {
    if (this.#read(/\[/y)) return this.#class()
    const place = this.#read(/[.^$]/y)?.[0]
    if (place !== undefined) return place
    if (this.#read(/[*+?]/y)) throw new Unfit('there is nothing before a sign of repetition')
    const quoted = this.#read(/\\Q(.*?)(?:\\E|$)/sy)
    if (quoted !== undefined) return `(?:${[...(quoted[1] ?? '')].map(literal).join('')})`
    return this.#escape(places) ?? this.#escape(sets) ?? literal(this.#character())
  }

  #class(): string {
    let source = this.#read(/\^/y) ? '[^' : '['
    for (let isFirst = true; isFirst || !this.#read(/\]/y); isFirst = false) {
      if (this.#at === this.#text.length) throw new Unfit('a class of it has no end')
      source += this.#named() ?? this.#escape(sets) ?? this.#range()
    }
    return `${source}]`
  }

  #named(): string | undefined {
    const [, not, name] = this.#read(/\[:(\^?)(\w+):\]/y) ?? []
    if (name === undefined) return undefined
    const set = Object.hasOwn(classes, name) ? classes[name] : undefined
    if (set === undefined) throw new Unfit(`there is no class [:${name}:]`)
    return `[${not}${set}]`
  }

  #range(): string {
    const first = literal(this.#character())
    return this.#read(/-(?!\])/y) ? `${first}-${literal(this.#character())}` : first
  }

  #escape(known: Readonly<Record<string, string>>): string | undefined {
    const name = this.#text[this.#at] === '\\' ? this.#text[this.#at + 1] : undefined
    const source = name !== undefined && Object.hasOwn(known, name) ? known[name] : undefined
    if (source !== undefined) this.#at += 2
    return source
  }

  /** One character, whichever way it is written. */
  #character(): string {
    const [, hex, wide] = this.#read(/\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/y) ?? []
    const code = hex ?? wide
    if (code !== undefined) return fromCode(Number.parseInt(code, 16))
    const letter = this.#read(/\\([aftnrv])/y)?.[1]
    if (letter !== undefined) return fromCode(characters[letter] ?? 0)
    const escaped = this.#read(/\\([^\w\s])/y)?.[1]
    if (escaped !== undefined) return escaped
    if (this.#text[this.#at] === '\\')
      throw new Unfit(`it has ${this.#text.slice(this.#at, this.#at + 2)}, which is not read here`)
    const character = this.#read(/./suy)?.[0]
    if (character === undefined) throw new Unfit('it ends too early')
    return character
  }

  #repetition(isPlain: boolean): string {
    const found = this.#read(/([*+?]|\{(\d+)(,(\d*))?\})\??/y)
    if (found === undefined) return ''
    const [source, sign, least, more, most] = found
    if ([least, most].some((count) => Number(count) > MAX_COUNT)) throw new Unfit(`it counts beyond ${MAX_COUNT}`)
    const isOnce = sign === '?' || (Number(least) <= 1 && (more === undefined || most === '1' || most === '0'))
    if (isOnce) return source
    if (!isPlain) throw new Unfit('it repeats a part that repeats itself or has alternatives')
    if (++this.#repetitions > MAX_REPETITIONS) throw new Unfit(`more than ${MAX_REPETITIONS} parts of it repeat`)
    return source
  }

  #read(what: RegExp): RegExpExecArray | undefined {
    what.lastIndex = this.#at
    const found = what.exec(this.#text)
    if (found === null) return undefined
    this.#at += found[0].length
    return found
  }
}

const literal = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

function fromCode(code: number): string {
  if (code > 0x10ffff) throw new Unfit('it has a character beyond those of Unicode')
  return String.fromCodePoint(code)
}
