import type { Host } from '../../proto/gen/route_table.ts'
import { compareText, merged } from './merge.ts'
import { byPrecedence, type Numbered, numbered, type RankedMatch } from './precedence.ts'
import type { RouteRules } from './rules.ts'
import { placeOf } from './tally.ts'

/** A Host of the table, and what it was made of. */
export interface HostState {
  /** See hostKey. */
  readonly key: string
  readonly host: Host
  readonly routes: readonly RouteRules[]
  /** Those of all routes, in order of precedence. */
  readonly matches: readonly RankedMatch[]
}

/** What routes came to a host and left it. A route may do both. */
export interface HostChange {
  readonly listener: string
  readonly hostname: string
  readonly added: RouteRules[]
  readonly removed: RouteRules[]
}

/** Neither holds a space. */
export const hostKey = (listener: string, hostname: string): string => `${listener} ${hostname}`

const byKey = (a: HostState, b: HostState): number => compareText(a.key, b.key)

/** Matches of a host that one route has to itself, by the matches of that route: such hosts share them. */
export type Shared = WeakMap<readonly RankedMatch[], Numbered>

/** The hosts after changes, in order of key. A host that no change touches is the same object. */
export function changedHosts(
  hosts: readonly HostState[],
  changes: ReadonlyMap<string, HostChange>,
  shared: Shared,
): readonly HostState[] {
  const gone = new Set<HostState>()
  const come: HostState[] = []
  for (const [key, change] of changes) {
    const added = without(change.added, change.removed)
    const removed = without(change.removed, change.added)
    if (added.length === 0 && removed.length === 0) continue
    const before = hosts[placeOf(hosts, key, ({ key }) => key)]
    if (before !== undefined) gone.add(before)
    const after = changedHost(key, { ...change, added, removed }, before, shared)
    if (after !== undefined) come.push(after)
  }
  return merged(hosts, gone, come, byKey)
}

function without<T>(items: readonly T[], others: readonly T[]): T[] {
  if (others.length === 0) return [...items]
  const dropped = new Set(others)
  return items.filter((item) => !dropped.has(item))
}

/** undefined when no route is left. */
function changedHost(
  key: string,
  { listener, hostname, added, removed }: HostChange,
  before: HostState | undefined,
  shared: Shared,
): HostState | undefined {
  const routes = [...without(before?.routes ?? [], removed), ...added]
  const [first] = routes
  if (first === undefined) return undefined
  if (routes.length === 1) {
    const { matches } = first
    let own = shared.get(matches)
    if (own === undefined) {
      own = numbered(matches)
      shared.set(matches, own)
    }
    return { key, host: { listener, hostname, ...own }, routes, matches }
  }
  const lost = new Set(removed.flatMap(({ matches }) => matches))
  const won = added.flatMap(({ matches }) => matches)
  const matches = merged(before?.matches ?? [], lost, won, byPrecedence)
  return { key, host: { listener, hostname, ...numbered(matches) }, routes, matches }
}
