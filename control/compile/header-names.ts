import type { FieldPath } from '../../kube/rule.ts'
import { type Finding, warning } from './finding.ts'
import type { Route } from './routes.ts'

// "If multiple entries specify equivalent header names, the first entry with an equivalent name MUST be considered …
// Subsequent entries … MUST be ignored": HTTPHeaderMatch.name, GRPCHeaderMatch.name and HTTPHeader.name. Names that are the
// very same never get here.

interface Named {
  readonly name: string
}

export function firstOfEach<T extends Named>(entries: readonly T[]): readonly T[] {
  if (entries.length < 2) return entries
  const found = new Map<string, T>()
  for (const entry of entries) {
    const name = entry.name.toLowerCase()
    if (!found.has(name)) found.set(name, entry)
  }
  return found.size === entries.length ? entries : [...found.values()]
}

/** About the entries that firstOfEach leaves out. `path` and then `field` lead to the list. */
export function repeatedNames(
  route: Route,
  entries: readonly Named[],
  path: FieldPath,
  ...field: FieldPath
): readonly Finding[] {
  const first = firstOfEach(entries)
  if (first === entries) return none
  return entries.flatMap((entry, index) => {
    if (first.includes(entry)) return []
    const message = `${entry.name} is the same header as one before it in this list, and changes nothing; remove one`
    return [warning(route, [...path, ...field, index, 'name'], 'UnsupportedValue', message)]
  })
}

const none: readonly Finding[] = []
