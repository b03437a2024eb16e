import { createHash } from 'node:crypto'
import type { RequestFacts } from '../engine/facts.ts'
import type { Router } from '../engine/router.ts'
import { leadingBits, shardHash } from '../engine/shards.ts'
import { readRoot } from '../engine/table.ts'
import {
  AppProtocol,
  type Backend,
  type BackendRef,
  type Cors,
  type Filter,
  type HeaderModifier,
  type Host,
  type Listener,
  type Match,
  type Mirror,
  Origin,
  type PathMatch,
  PathMatch_Kind,
  Protocol,
  type Redirect,
  Root,
  type Rule,
  type Settings,
  Shard,
  type UrlRewrite,
  type ValueMatch,
} from '../proto/gen/route_table.ts'

// Parts of a table with the values that say nothing, for tests to change.

export const listener = (changes: Partial<Listener> = {}): Listener => ({
  id: 'http',
  port: 80,
  protocol: Protocol.HTTP,
  hostname: '',
  tls: undefined,
  ...changes,
})

export const host = (changes: Partial<Host> = {}): Host => ({
  listener: 'http',
  hostname: '',
  matches: [match()],
  rules: [rule()],
  ...changes,
})

export const match = (changes: Partial<Match> = {}): Match => ({
  rule: 0,
  path: undefined,
  method: '',
  headers: [],
  query: [],
  ...changes,
})

export const prefix = (value: string): PathMatch => ({ kind: PathMatch_Kind.PREFIX, value })
export const exact = (value: string): PathMatch => ({ kind: PathMatch_Kind.EXACT, value })
export const regex = (value: string): PathMatch => ({ kind: PathMatch_Kind.REGEX, value })
export const equal = (name: string, value: string): ValueMatch => ({ name, value, regex: false })
export const like = (name: string, value: string): ValueMatch => ({ name, value, regex: true })

export const rule = (changes: Partial<Rule> = {}): Rule => ({
  route: 'HTTPRoute a/b',
  index: 0,
  name: '',
  filters: [],
  backends: [ref()],
  timeouts: undefined,
  retry: undefined,
  session: undefined,
  invalid: '',
  ...changes,
})

export const ref = (changes: Partial<BackendRef> = {}): BackendRef => ({
  backend: 'a/web:80',
  weight: 1,
  filters: [],
  invalid: '',
  ...changes,
})

export const backend = (changes: Partial<Backend> = {}): Backend => ({
  key: 'a/web:80',
  protocol: AppProtocol.HTTP1,
  origin: Origin.CONNECTOR,
  originAddress: '',
  endpoints: [{ address: '192.0.2.1', port: 8080 }],
  tls: undefined,
  ...changes,
})

// Filters

export const redirect = (changes: Partial<Redirect> = {}): Filter => ({
  kind: {
    $case: 'redirect',
    value: { scheme: '', hostname: '', path: undefined, port: 0, status: 302, ...changes },
  },
})

export const rewrite = (changes: Partial<UrlRewrite>): Filter => ({
  kind: { $case: 'rewrite', value: { hostname: '', path: undefined, ...changes } },
})

export const modifier = (changes: Partial<HeaderModifier>): HeaderModifier => ({
  set: [],
  add: [],
  remove: [],
  ...changes,
})

export const requestHeaders = (changes: Partial<HeaderModifier>): Filter => ({
  kind: { $case: 'requestHeaders', value: modifier(changes) },
})

export const responseHeaders = (changes: Partial<HeaderModifier>): Filter => ({
  kind: { $case: 'responseHeaders', value: modifier(changes) },
})

export const mirror = (changes: Partial<Mirror>): Filter => ({
  kind: { $case: 'mirror', value: { backend: 'a/copy:80', numerator: 1, denominator: 1, ...changes } },
})

export const corsPolicy = (changes: Partial<Cors> = {}): Cors => ({
  allowOrigins: [],
  allowCredentials: false,
  allowMethods: [],
  allowHeaders: [],
  exposeHeaders: [],
  maxAge: 5,
  ...changes,
})

export const cors = (changes: Partial<Cors>): Filter => ({ kind: { $case: 'cors', value: corsPolicy(changes) } })

// Requests

export interface FactsChanges extends Partial<Omit<RequestFacts, 'header'>> {
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>
}

export function facts({ headers = {}, ...changes }: FactsChanges = {}): RequestFacts {
  const byName = new Map(Object.entries(headers))
  return {
    scheme: 'http',
    authority: 'example.com',
    port: undefined,
    method: 'GET',
    path: '/',
    query: '',
    ...changes,
    header: (name) => byName.get(name),
  }
}

// Whole tables

export interface TableParts {
  readonly listeners?: readonly Listener[]
  readonly hosts?: readonly Host[]
  readonly backends?: readonly Backend[]
  /** Leading bits of the hash that choose a shard: of hosts and of backends. */
  readonly hostBits?: number
  readonly backendBits?: number
  readonly gateway?: string
  readonly controller?: string
  readonly addresses?: readonly string[]
  readonly settings?: Settings
}

export interface EncodedTable {
  readonly root: Uint8Array
  /** By hex name. */
  readonly shards: ReadonlyMap<string, Uint8Array>
}

/** As control publishes a table. */
export function encodeTable({
  listeners = [listener()],
  hosts = [host()],
  backends = [backend(), backend({ key: 'a/copy:80' })],
  hostBits = 0,
  backendBits = 0,
  gateway = 'infra/edge',
  controller = 'landfall.dev/edge-controller',
  addresses = [],
  settings,
}: TableParts = {}): EncodedTable {
  const shards = new Map<string, Uint8Array>()
  const leaf = (bits: number, prefix: number, shard: Shard) => {
    const bytes = Shard.encode(shard).finish()
    const hash = createHash('sha256').update(bytes).digest().subarray(0, 16)
    shards.set(hash.toString('hex'), bytes)
    return { bits, prefix, hash }
  }
  const hostsOf = byLeaf(hosts, ({ hostname }) => hostname, hostBits)
  const backendsOf = byLeaf(backends, ({ key }) => key, backendBits)
  const content = {
    schema: 1,
    gateway,
    version: '',
    listeners,
    hostShards: hostsOf.map((its, prefix) => leaf(hostBits, prefix, { hosts: its, backends: [] })),
    backendShards: backendsOf.map((its, prefix) => leaf(backendBits, prefix, { hosts: [], backends: its })),
    settings,
    addresses,
    controller,
    retired: [],
    goneSince: 0,
  }
  const version = createHash('sha256').update(Root.encode(content).finish()).digest('hex')
  return { root: Root.encode({ ...content, version }).finish(), shards }
}

function byLeaf<T>(all: readonly T[], keyOf: (one: T) => string, bits: number): readonly (readonly T[])[] {
  const groups = Map.groupBy(all, (one) => leadingBits(shardHash(keyOf(one)), bits))
  return Array.from({ length: 2 ** bits }, (_, prefix) => groups.get(prefix) ?? [])
}

/** A router with every shard loaded. */
export function routerOf(parts: TableParts = {}): Router {
  const { root, shards } = encodeTable(parts)
  const router = readRoot(root)
  for (const [name, bytes] of shards) router.addShard(name, bytes)
  return router
}

/** A router with every shard loaded for one Host with these matches and rules. */
export const routerOfHost = (changes: Partial<Host>): Router => routerOf({ hosts: [host(changes)] })
