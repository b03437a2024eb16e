import { type CharSet, charSet, negate, POSIX } from './char-set.ts'
import { type Cursor, NAME_CHARACTERS, PatternError } from './cursor.ts'
import { escapedCharacter, escapedClass, namedClass } from './escapes.ts'

/** Reads a class from its "[" on. */
export function bracketClass(cursor: Cursor, foldsCase: boolean): CharSet {
  const at = cursor.at
  cursor.take('[')
  const negated = cursor.take('^')
  const ranges: number[] = []
  const named: CharSet[] = []
  // As in RE2, a "]" at the beginning stands for itself.
  for (let first = true; first || !cursor.sees(']'); first = false) {
    if (cursor.ended) throw new PatternError('"[" is not closed by "]"', at)
    const set = cursor.sees('[:')
      ? posixClass(cursor, foldsCase)
      : cursor.sees('\\')
        ? escapedClass(cursor, foldsCase)
        : undefined
    if (set !== undefined) named.push(set)
    else ranges.push(...range(cursor, foldsCase))
  }
  cursor.take(']')
  const set = charSet([namedClass(charSet(ranges), false, foldsCase), ...named].flat())
  return negated ? negate(set) : set
}

/** [:name:] or [:^name:]; undefined when it is not of that form, and "[" stands for itself. */
function posixClass(cursor: Cursor, foldsCase: boolean): CharSet | undefined {
  const at = cursor.at
  cursor.at += 2
  const negated = cursor.take('^')
  const name = cursor.run(NAME_CHARACTERS)
  if (!cursor.take(':]')) {
    cursor.at = at
    return undefined
  }
  const set = POSIX.get(name)
  if (set === undefined) throw new PatternError(`"[:${name}:]" is not a class that is known`, at)
  return namedClass(set, negated, foldsCase)
}

function range(cursor: Cursor, foldsCase: boolean): [first: number, last: number] {
  const at = cursor.at
  const first = classCharacter(cursor, foldsCase)
  if (!cursor.sees('-') || cursor.sees('-]') || cursor.at + 1 >= cursor.text.length) return [first, first]
  cursor.take('-')
  const last = classCharacter(cursor, foldsCase)
  if (last < first) {
    throw new PatternError(`the range "${cursor.text.slice(at, cursor.at)}" is in the wrong order`, at)
  }
  return [first, last]
}

function classCharacter(cursor: Cursor, foldsCase: boolean): number {
  if (!cursor.sees('\\')) return cursor.character()
  const at = cursor.at
  if (escapedClass(cursor, foldsCase) !== undefined) {
    throw new PatternError(`"${cursor.text.slice(at, cursor.at)}" cannot end a range`, at)
  }
  return escapedCharacter(cursor)
}
