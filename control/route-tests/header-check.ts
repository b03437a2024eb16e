import type { HeaderEdit } from '../../engine/decision.ts'
import type { Draws } from './draws.ts'
import type { HeaderChanges } from './expectation.ts'
import { everyDraw, type Mismatch } from './mismatch.ts'
import type { Outcome } from './outcome.ts'

type Field = 'requestHeaders' | 'responseHeaders'

/** Each header by itself; of those that a test does not name nothing is expected. */
export function headerMismatches(field: Field, expected: HeaderChanges | undefined, draws: Draws): readonly Mismatch[] {
  const { set = {}, add = {}, remove = [] } = expected ?? {}
  const look = (name: string, verb: Fate['verb'], values: readonly string[]) => (outcome: Outcome) => {
    const fate = fateOf(name, outcome[field])
    return fate.verb === verb && isSame(fate.values, values) ? undefined : said(fate)
  }
  const each = (verb: 'set' | 'add', changes: NonNullable<HeaderChanges['set']>) =>
    Object.entries(changes).flatMap(([name, given]) => {
      const values = [given].flat()
      return everyDraw([field, verb, name], said({ verb, values }), draws, look(name, verb, values))
    })
  return [
    ...each('set', set),
    ...each('add', add),
    ...remove.flatMap((name, index) =>
      everyDraw([field, 'remove', index], `${name} removed`, draws, look(name, 'remove', [])),
    ),
  ]
}

/** What becomes of a header, whatever it was. */
interface Fate {
  readonly verb: 'set' | 'add' | 'remove' | 'keep'
  readonly values: readonly string[]
}

/** An edit's first value replaces those that came, or follows them; more values follow it either way. */
function fateOf(name: string, { remove, set, add }: HeaderEdit): Fate {
  const key = name.toLowerCase()
  const of = (lines: HeaderEdit['set']): string[] =>
    lines.filter(([other]) => other.toLowerCase() === key).map(([, value]) => value)
  const values = [...of(set), ...of(add)]
  if (of(set).length > 0) return { verb: 'set', values }
  if (remove.some((other) => other.toLowerCase() === key)) return { verb: 'remove', values }
  return { verb: values.length > 0 ? 'add' : 'keep', values }
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index])

function said({ verb, values }: Fate): string {
  switch (verb) {
    case 'keep':
      return 'not changed'
    case 'remove':
      return 'removed'
    default:
      return `${verb === 'set' ? 'set to' : 'added'} ${values.map((value) => JSON.stringify(value)).join(', ')}`
  }
}
