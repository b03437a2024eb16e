import { type CharSet, DIGIT, LAST_CODE_POINT, negate, SPACE, WORD } from './char-set.ts'
import { type Cursor, HEX_DIGITS, NAME_CHARACTERS, OCTAL_DIGITS, PatternError } from './cursor.ts'
import { foldCase, unicodeProperty } from './unicode.ts'

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

/** What the escape at the cursor stands for, if it is \d, \pL or their like; undefined when the escape is of another kind. */
export function escapedClass(cursor: Cursor, foldsCase: boolean): CharSet | undefined {
  const letter = cursor.text[cursor.at + 1] ?? ''
  if (letter === 'p' || letter === 'P') return property(cursor, foldsCase)
  const perl = PERL_CLASS.get(letter.toLowerCase())
  if (perl === undefined) return undefined
  cursor.at += 2
  return namedClass(perl, letter !== letter.toLowerCase(), foldsCase)
}

/** Case is folded before the set is negated: (?i)\P{Lu} has no letter at all that is upper or lower case. */
export function namedClass(set: CharSet, negated: boolean, foldsCase: boolean): CharSet {
  const folded = foldsCase ? foldCase(set) : set
  return negated ? negate(folded) : folded
}

function property(cursor: Cursor, foldsCase: boolean): CharSet {
  const at = cursor.at
  let negated = cursor.text[at + 1] === 'P'
  cursor.at += 2
  let name: string
  if (cursor.take('{')) {
    if (cursor.take('^')) negated = !negated
    name = cursor.run(NAME_CHARACTERS)
    if (!cursor.take('}')) throw new PatternError(`"${cursor.text.slice(at, at + 3)}" is not closed by "}"`, at)
  } else {
    name = cursor.text[cursor.at] ?? ''
    cursor.at += name.length
  }
  const set = unicodeProperty(name)
  if (set === undefined) {
    throw new PatternError(
      `"${cursor.text.slice(at, cursor.at)}" is not known; general categories such as \\p{Lu} and common scripts such as \\p{Greek} are`,
      at,
    )
  }
  return namedClass(set, negated, foldsCase)
}

/** What the escape at the cursor stands for, if it is a character. */
export function escapedCharacter(cursor: Cursor): number {
  const at = cursor.at++
  if (cursor.ended) throw new PatternError('"\\" ends the pattern; write \\\\ for itself', at)
  const code = cursor.character()
  const letter = String.fromCodePoint(code)
  const control = CONTROL.get(letter)
  if (control !== undefined) return control
  if (letter === 'x') return hexadecimal(cursor, at)
  if (letter >= '0' && letter <= '9') return octal(cursor, letter, at)
  if (code < 0x80 && (letter === '_' || !NAME_CHARACTERS.includes(letter))) return code
  throw new PatternError(`"\\${letter}" ${FOREIGN_ESCAPE.get(letter) ?? 'is not an escape that is known'}`, at)
}

function octal(cursor: Cursor, first: string, at: number): number {
  const second = cursor.text[cursor.at] ?? ''
  // As in RE2: \0 to \777, but one digit other than 0 on its own is a backreference.
  const alone = second === '' || !OCTAL_DIGITS.includes(second)
  if (first > '7' || (first !== '0' && alone)) {
    throw new PatternError(
      `"\\${first}" is a backreference, which no linear-time matcher can run; spell the alternatives out`,
      at,
    )
  }
  const start = cursor.at
  const more = cursor.run(OCTAL_DIGITS).slice(0, 2)
  cursor.at = start + more.length
  return Number.parseInt(first + more, 8)
}

function hexadecimal(cursor: Cursor, at: number): number {
  const braced = cursor.take('{')
  const start = cursor.at
  const digits = cursor.run(HEX_DIGITS)
  if (!braced && digits.length >= 2) {
    cursor.at = start + 2
    return Number.parseInt(digits.slice(0, 2), 16)
  }
  const code = Number.parseInt(digits, 16)
  if (!braced || digits === '' || !cursor.take('}') || code > LAST_CODE_POINT) {
    throw new PatternError('"\\x" takes two hexadecimal digits, or up to 10FFFF in braces: \\x{1F600}', at)
  }
  return code
}
