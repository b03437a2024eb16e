import { type CharSet, charSet, contains, pairsOf } from './char-set.ts'

// The tables come from the JavaScript engine's own Unicode data, read on first use, so none are shipped.

const CATEGORIES =
  'L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Co Cs'.split(' ')

const SCRIPTS = (
  'Arabic Armenian Bengali Bopomofo Cherokee Common Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han ' +
  'Hangul Hebrew Hiragana Inherited Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Oriya Sinhala Syriac ' +
  'Tamil Telugu Thaana Thai Tibetan'
).split(' ')

const known = new Map<string, CharSet>([
  ['Any', [0, 0x10ffff]],
  ['Cs', [0xd800, 0xdfff]],
  ['Co', [0xe000, 0xf8ff, 0xf0000, 0xffffd, 0x100000, 0x10fffd]],
])

/** The code points of \p{name}: a general category or one of the common scripts; undefined for any other name. */
export function unicodeProperty(name: string): CharSet | undefined {
  const found = known.get(name)
  if (found !== undefined) return found
  let set: CharSet
  if (name === 'C') set = charSet(['Cc', 'Cf', 'Cs', 'Co'].flatMap((part) => unicodeProperty(part) ?? []))
  else if (CATEGORIES.includes(name)) set = scan(new RegExp(`\\p{${name}}`, 'u'))
  else if (SCRIPTS.includes(name)) set = scan(new RegExp(`\\p{Script=${name}}`, 'u'))
  else return undefined
  known.set(name, set)
  return set
}

/** Planes with characters in them; the rest are unassigned or for private use. */
const PLANES = [0, 1, 2, 3, 14]

function scan(property: RegExp): CharSet {
  const ranges: number[] = []
  for (const plane of PLANES) {
    for (let code = plane << 16; code <= ((plane << 16) | 0xffff); code++) {
      if (!property.test(String.fromCodePoint(code))) continue
      if (ranges.at(-1) === code - 1) ranges[ranges.length - 1] = code
      else ranges.push(code, code)
    }
  }
  return ranges
}

/** The set with every letter's other cases added: Unicode simple case folding, as (?i) of RE2. */
export function foldCase(set: CharSet): CharSet {
  const folded = [...set]
  if ((set.at(-1) ?? 0) < 0x80) {
    for (const [first, last] of pairsOf(set)) foldAscii(first, last, folded)
  } else {
    for (const orbit of orbits()) {
      if (orbit.some((code) => contains(set, code))) for (const code of orbit) folded.push(code, code)
    }
  }
  return charSet(folded)
}

function foldAscii(first: number, last: number, into: number[]): void {
  for (let code = Math.max(first, 0x41); code <= last; code++) {
    if (!contains(LETTER, code)) continue
    into.push(code ^ 0x20, code ^ 0x20)
    if ((code | 0x20) === 0x6b) into.push(KELVIN_SIGN, KELVIN_SIGN)
    if ((code | 0x20) === 0x73) into.push(LONG_S, LONG_S)
  }
}

const LETTER: CharSet = [0x41, 0x5a, 0x61, 0x7a]
const DOTLESS_I = 0x131
const LONG_S = 0x17f
const KELVIN_SIGN = 0x212a
/** Above the last letter that has another case (Adlam). */
const CASED_END = 0x1e944

let orbitsRead: readonly (readonly number[])[] | undefined

/** The groups of code points that differ only in case. */
function orbits(): readonly (readonly number[])[] {
  if (orbitsRead === undefined) {
    const byFold = new Map<string, number[]>()
    for (let code = 0; code < CASED_END; code++) {
      const fold = foldOf(code)
      const orbit = byFold.get(fold)
      if (orbit === undefined) byFold.set(fold, [code])
      else orbit.push(code)
    }
    orbitsRead = [...byFold.values()].filter((orbit) => orbit.length > 1)
  }
  return orbitsRead
}

/** Equal for code points that CaseFolding.txt (status C and S) holds to be one; the dotless i is only Turkish. */
function foldOf(code: number): string {
  const character = String.fromCodePoint(code)
  return code === DOTLESS_I ? character : character.toLowerCase().toUpperCase()
}
