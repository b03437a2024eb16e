import { PatternError } from './regex/cursor.ts'
import { parse } from './regex/parser.ts'
import { literalPrefix, type Node } from './regex/syntax.ts'

/** A path expression, taken apart so that an index finds it and so that routes which differ only in how their paths begin
 *  share one automaton. */
export interface PathPattern {
  /** Every path that matches begins with this. */
  readonly literal: string
  /** A path that begins with `literal` matches when what follows its first `skip` characters matches `rest`. */
  readonly skip: number
  readonly rest: string
}

/** Characters that stand for themselves, bare or escaped, up to one that an operator repeats. */
const LITERALS = /^\^?(?:(?:[\w /~!@#%&=:;"'<>,`-]|\\[^\w\s])(?![*+?{]))*/

/** What could look back at the literal. */
const LOOKS_BACK = /\\[AbB]|\\\[|(?:^|[^[])\^/

/** A pattern that is not RE2's, which control refuses, is kept whole and matches nothing. */
export function pathPattern(pattern: string): PathPattern {
  const [literals = ''] = LITERALS.exec(pattern) ?? []
  const literal = literals.replace(/^\^/, '').replaceAll(/\\(.)/g, '$1')
  const rest = pattern.slice(literals.length)
  if (literal === '' || LOOKS_BACK.test(rest)) return whole(pattern)
  // The literal may belong to the first of several alternatives only.
  if (rest.includes('|') && parsed(pattern)?.type !== 'sequence') return whole(pattern)
  return { literal, skip: literal.length, rest }
}

function whole(pattern: string): PathPattern {
  const node = parsed(pattern)
  return { literal: node === undefined ? '' : literalPrefix(node).text, skip: 0, rest: pattern }
}

function parsed(pattern: string): Node | undefined {
  try {
    return parse(pattern)
  } catch (error) {
    if (error instanceof PatternError) return undefined
    throw error
  }
}
