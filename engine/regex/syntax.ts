import { type CharSet, onlyMember } from './char-set.ts'

/** A parsed pattern. Groups, names and laziness leave no trace: they do not change which values match as a whole. */
export type Node =
  | { readonly type: 'empty' }
  | { readonly type: 'set'; readonly set: CharSet }
  | { readonly type: 'assert'; readonly assertion: Assertion }
  | { readonly type: 'sequence'; readonly parts: readonly Node[] }
  | { readonly type: 'choice'; readonly branches: readonly Node[] }
  | Repeat

export interface Repeat {
  readonly type: 'repeat'
  readonly body: Node
  readonly min: number
  /** Infinity for no limit. */
  readonly max: number
  /** Where the repetition stands in the pattern. */
  readonly at: number
}

export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-boundary' | 'not-word-boundary'

const EMPTY: Node = { type: 'empty' }

// The constructors leave out what cannot take part in a match, so every node but EMPTY costs a state or more and
// nested repetitions of nothing cannot burn time.

export function sequence(parts: readonly Node[]): Node {
  const [first = EMPTY, ...rest] = parts.filter((part) => part.type !== 'empty')
  return rest.length === 0 ? first : { type: 'sequence', parts: [first, ...rest] }
}

export function choice(branches: readonly Node[]): Node {
  const [first = EMPTY, ...rest] = branches
  return rest.length === 0 ? first : { type: 'choice', branches }
}

export function repeat(body: Node, min: number, max: number, at: number): Node {
  if (body.type === 'empty' || max === 0) return EMPTY
  return min === 1 && max === 1 ? body : { type: 'repeat', body, min, max, at }
}

/** What every match begins with, and whether that is also all of it. */
export function literalPrefix(node: Node): { readonly text: string; readonly whole: boolean } {
  switch (node.type) {
    case 'empty':
      return { text: '', whole: true }
    // Takes nothing from the value, and holds or not whatever the prefix.
    case 'assert':
      return { text: '', whole: true }
    case 'set': {
      const code = onlyMember(node.set)
      return code === undefined ? { text: '', whole: false } : { text: String.fromCodePoint(code), whole: true }
    }
    case 'sequence': {
      let text = ''
      for (const part of node.parts) {
        const prefix = literalPrefix(part)
        text += prefix.text
        if (!prefix.whole) return { text, whole: false }
      }
      return { text, whole: true }
    }
    case 'choice': {
      const [first, ...rest] = node.branches.map((branch) => literalPrefix(branch).text)
      return { text: rest.reduce(commonPrefix, first ?? ''), whole: false }
    }
    case 'repeat':
      return { text: node.min > 0 ? literalPrefix(node.body).text : '', whole: false }
  }
}

function commonPrefix(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return a.slice(0, length)
}
