import { type Match, type PathMatch, PathMatch_Kind, type ValueMatch } from '../../proto/gen/route_table.ts'
import type { TextTest } from './text-test.ts'

/** What a match wants of a request. All of it must hold. */
export interface Conditions {
  /** undefined: every path. */
  readonly path: TextTest | undefined
  /** "": every method. */
  readonly method: string
  readonly values: readonly ValueTest[]
}

/** A header, or a parameter of the query, that must be there and be like this. */
export interface ValueTest {
  readonly part: 'header' | 'query'
  readonly name: string
  readonly test: TextTest
}

export function conditionsOf({ path, method, headers, query }: Match): Conditions {
  return {
    path: pathTest(path),
    method,
    values: [...headers.map((value) => valueTest('header', value)), ...query.map((value) => valueTest('query', value))],
  }
}

function pathTest(path: PathMatch | undefined): TextTest | undefined {
  switch (path?.kind) {
    case undefined:
      return undefined
    case PathMatch_Kind.EXACT:
      return { kind: 'exact', value: path.value }
    case PathMatch_Kind.REGEX:
      return { kind: 'regex', value: path.value }
    case PathMatch_Kind.PREFIX:
      return path.value === '/' ? undefined : { kind: 'prefix', value: path.value }
  }
}

const valueTest = (part: ValueTest['part'], { name, value, regex }: ValueMatch): ValueTest => ({
  part,
  name,
  test: { kind: regex ? 'regex' : 'exact', value },
})
