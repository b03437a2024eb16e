/** A condition on a text: a path, or the value of a header or a query parameter. */
export interface TextTest {
  /** As PathMatch.Kind: prefixes are by whole segments, expressions match the whole text. */
  readonly kind: 'exact' | 'prefix' | 'regex'
  /** A prefix has no slash at its end: "" is every path. */
  readonly value: string
}

/** Whether expressions match, each compiled once. */
export interface Expressions {
  test(pattern: string, value: string): boolean
}

export function textHolds({ kind, value }: TextTest, text: string, expressions: Expressions): boolean {
  switch (kind) {
    case 'exact':
      return text === value
    case 'prefix':
      return isBelow(text, value)
    case 'regex':
      return expressions.test(value, text)
  }
}

/** Whether a path, or all below a prefix, is below another prefix. */
export const isBelow = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH)

export const sameTest = (a: TextTest, b: TextTest): boolean => a.kind === b.kind && a.value === b.value

const SLASH = 0x2f
