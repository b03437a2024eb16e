import { leafOf } from '../../engine/shards.ts'
import { gatewayOf } from '../../engine/store-keys.ts'
import { type Backend, type Host, Root, Shard } from '../../proto/gen/route_table.ts'
import type { GatewayTable } from '../table.ts'
import type { EncodedTable } from './encode.ts'
import { shardName } from './shard-tree.ts'
import type { Store } from './store.ts'
import { shardsOf, storedEntries, storedRoots } from './stored.ts'

/** What publishing changes of a Gateway's table. */
export interface TableDiff {
  readonly gateway: string
  /** By Listener.id. */
  readonly listeners: Changes
  /** By Rule.route: "HTTPRoute namespace/name". */
  readonly routes: Changes
  /** By Backend.key. */
  readonly backends: Changes
  /** Of the settings or the addresses. */
  readonly settingsChanged: boolean
}

/** Names in alphabetical order. */
export interface Changes {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

export interface TableToPublish {
  readonly table: GatewayTable
  readonly encoded: EncodedTable
}

/**
 * What differs between the store and these tables, a Gateway each, for those where anything does. Reads the roots and the
 * shards that changed; a shard that cannot be read counts as one without content.
 */
export async function differences(
  store: Pick<Store, 'get' | 'list'>,
  tables: readonly TableToPublish[],
): Promise<readonly TableDiff[]> {
  const roots = new Map([...(await storedRoots(store))].filter(([, { goneSince }]) => goneSince === 0))
  const diffs: TableDiff[] = []
  for (const { table, encoded } of tables) {
    diffs.push(await difference(store, table.gateway, roots.get(encoded.key), { table, encoded }))
  }
  const published = new Set(tables.map(({ encoded }) => encoded.key))
  for (const [key, root] of roots) {
    if (!published.has(key)) diffs.push(await difference(store, gatewayOf(key), root, undefined))
  }
  return diffs.filter((diff) => !isEmpty(diff))
}

async function difference(
  store: Pick<Store, 'get'>,
  gateway: string,
  before: Root | undefined,
  after: TableToPublish | undefined,
): Promise<TableDiff> {
  const namesBefore = new Set(before === undefined ? [] : shardsOf(before))
  const shards = after?.encoded.shards ?? new Map<string, Uint8Array>()
  const old = contents(
    await storedEntries(
      store,
      [...namesBefore].filter((name) => !shards.has(name)),
    ),
  )
  const young = contents(new Map([...shards].filter(([name]) => !namesBefore.has(name))))
  // Decoded as `before` is, so that the two can be compared.
  const root = after && Root.decode(after.encoded.rootBytes)
  return {
    gateway,
    listeners: changes(byName(before?.listeners ?? [], 'id'), byName(root?.listeners ?? [], 'id'), () => []),
    routes: changes(routesOf(old.hosts), routesOf(young.hosts), () => (after ? routesStaying(after, namesBefore) : [])),
    backends: changes(byName(old.backends, 'key'), byName(young.backends, 'key'), () => []),
    settingsChanged: before !== undefined && root !== undefined && !equal(settingsOf(before), settingsOf(root)),
  }
}

const settingsOf = ({ settings, addresses }: Root): readonly unknown[] => [settings, addresses]

const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The routes in shards that stay: those are neither new nor gone, whatever the shards that change say. */
function routesStaying({ table, encoded }: TableToPublish, namesBefore: ReadonlySet<string>): Iterable<string> {
  const refs = encoded.root.hostShards
  const stays = refs.map(({ hash }) => namesBefore.has(shardName(hash)))
  const hosts = table.hosts.filter(({ hostname }) => stays[leafOf(refs, hostname)])
  return hosts.flatMap(({ rules }) => rules.map(({ route }) => route))
}

function contents(shards: ReadonlyMap<string, Uint8Array>): { hosts: readonly Host[]; backends: readonly Backend[] } {
  const decoded = [...shards.values()].flatMap((bytes) => {
    try {
      return [Shard.decode(bytes)]
    } catch {
      return []
    }
  })
  return { hosts: decoded.flatMap(({ hosts }) => hosts), backends: decoded.flatMap(({ backends }) => backends) }
}

/** What each thing consists of, by name, in a form that can be compared. */
type Contents = ReadonlyMap<string, string>

function byName<Name extends string, T extends Readonly<Record<Name, string>>>(
  things: readonly T[],
  name: Name,
): Contents {
  return new Map(things.map((thing) => [thing[name], JSON.stringify(thing)]))
}

/** A route's rules with their matches, on every host. Where they stand among the rules of other routes is left out. */
function routesOf(hosts: readonly Host[]): Contents {
  const parts = new Map<string, string[]>()
  for (const { listener, hostname, rules, matches } of hosts) {
    const matchesOf = Map.groupBy(matches, (match) => match.rule)
    for (const [index, rule] of rules.entries()) {
      const own = matchesOf.get(index)?.map((match) => ({ ...match, rule: 0 }))
      const part = JSON.stringify([listener, hostname, rule, own])
      const known = parts.get(rule.route)
      if (known === undefined) parts.set(rule.route, [part])
      else known.push(part)
    }
  }
  return new Map([...parts].map(([route, of]) => [route, of.sort().join()]))
}

function changes(before: Contents, after: Contents, staying: () => Iterable<string>): Changes {
  const oneSided = [...before.keys(), ...after.keys()].filter((name) => !before.has(name) || !after.has(name))
  const elsewhere = new Set(oneSided.length === 0 ? [] : staying())
  const differing = [...before].filter(([name, content]) => after.has(name) && after.get(name) !== content)
  return {
    added: oneSided.filter((name) => after.has(name) && !elsewhere.has(name)).sort(),
    changed: [...differing.map(([name]) => name), ...oneSided.filter((name) => elsewhere.has(name))].sort(),
    removed: oneSided.filter((name) => before.has(name) && !elsewhere.has(name)).sort(),
  }
}

const isEmpty = ({ listeners, routes, backends, settingsChanged }: TableDiff): boolean =>
  !settingsChanged &&
  [listeners, routes, backends].every(
    ({ added, changed, removed }) => added.length + changed.length + removed.length === 0,
  )
