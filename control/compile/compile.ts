import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { Snapshot } from '../snapshot.ts'
import { nameOf } from '../snapshot-index.ts'
import type { GatewayTable } from '../table.ts'
import type { Network } from './addresses.ts'
import { type Admissions, admit } from './admission.ts'
import { type AllBackendTls, allBackendTls, noBackendTls } from './backend-tls.ts'
import { type GatewayBackends, gatewayBackends } from './backends.ts'
import type { ControllerName } from './features.ts'
import type { Finding } from './finding.ts'
import { type ClassState, classState, gatewayState, strays } from './gateways.ts'
import type { Shared } from './hosts.ts'
import { type Kept, keep } from './kept.ts'
import { type GatewayListeners, gatewayListeners } from './listeners.ts'
import { difference, matching } from './merge.ts'
import { noParents, type Parents, parentsOf } from './parents.ts'
import { type PolicyState, policyStates } from './policies.ts'
import { type KeptRoute, type RouteState, routeState } from './route-state.ts'
import { type Route, routeKinds } from './routes.ts'
import type { CertificateChecks } from './secrets.ts'
import { type Indexes, type Source, sourceOf } from './source.ts'
import { changedRoutes, type GatewayRoutes, gatewayTable, noRoutes } from './tables.ts'
import type { Tally } from './tally.ts'

/** What compile must know beside the objects. */
export interface Site {
  /** Whose GatewayClasses are ours; what belongs to other controllers is left alone. */
  readonly controllers: readonly ControllerName[]
  readonly network: Network
}

/** A Gateway of ours, with what is attached to it. */
export interface GatewayResult extends GatewayListeners {
  /** Routes by Listener.id: ListenerStatus.attachedRoutes. */
  readonly attached: Tally
}

/** What objects come to: tables for the data planes, and what statuses are made of. */
export interface Compiled {
  /** Of the Gateways that are accepted. */
  readonly tables: readonly GatewayTable[]
  /** Each once. */
  readonly findings: readonly Finding[]
  readonly classes: readonly ClassState[]
  readonly gateways: readonly GatewayResult[]
  /** All routes, those without a parent of ours among them. */
  readonly routes: readonly RouteState[]
  readonly policies: readonly PolicyState[]
  /** For the next compile. */
  readonly memo: Memo
}

/** What a compile leaves to the next. It holds nothing that does not follow from the objects. */
interface Memo {
  readonly site: Site
  readonly indexes: Indexes | undefined
  readonly gateways: ReadonlyMap<Gateway, Kept<GatewayListeners | undefined>>
  readonly parents: Parents
  readonly tls: AllBackendTls
  readonly kept: readonly KeptRoute[]
  readonly admissions: Admissions
  readonly routes: readonly RouteState[]
  /** By Gateway. */
  readonly attached: ReadonlyMap<string, GatewayRoutes>
  readonly backends: ReadonlyMap<string, GatewayBackends>
  readonly tables: ReadonlyMap<string, GatewayTable>
  readonly checks: CertificateChecks
  readonly shared: Shared
}

const emptyMemo = (site: Site): Memo => ({
  site,
  indexes: undefined,
  gateways: new Map(),
  parents: noParents,
  tls: noBackendTls,
  kept: [],
  admissions: new Map(),
  routes: [],
  attached: new Map(),
  backends: new Map(),
  tables: new Map(),
  checks: new WeakMap(),
  shared: new WeakMap(),
})

const isSameSite = (a: Site, b: Site): boolean =>
  a.controllers.length === b.controllers.length &&
  a.controllers.every((name, index) => name === b.controllers[index]) &&
  a.network.usable === b.network.usable &&
  a.network.assigned === b.network.assigned

/** Objects to tables and findings, in seven passes. Pure: the same objects give the same result, sooner with `previous`. */
export function compile(snapshot: Snapshot, site: Site, previous?: Compiled): Compiled {
  const memo = previous !== undefined && isSameSite(previous.memo.site, site) ? previous.memo : emptyMemo(site)
  const { checks, shared } = memo

  // 1. gateways, 2. listeners: what parents there are.
  const objects = sourceOf(indexesOf(snapshot, noParents, noBackendTls), memo.indexes)
  const keptGateways = gatewaysOf(snapshot.list('Gateway'), objects, memo)
  const gateways = [...keptGateways.values()].flatMap(({ value }) => value ?? [])
  const parents = parentsOf(gateways, memo.parents)

  // 3. attach, 4. references, 5. rules: one route at a time, then what routes take from each other.
  const tls = allBackendTls(snapshot.policyTargets, objects, checks, memo.tls)
  const indexes = indexesOf(snapshot, parents, tls)
  const source = sourceOf(indexes, memo.indexes)
  const kept = routesOf(
    routeKinds.flatMap((kind): readonly Route[] => snapshot.list(kind)),
    source,
    memo.kept,
  )
  const { routes, admissions } = admit(
    kept.map(({ state }) => state),
    memo.admissions,
  )

  // 6. precedence, 7. tables: what changed is merged in.
  const { removed, added } = difference(memo.routes, routes)
  const attached = changedRoutes(memo.attached, removed, added, shared)
  const backends = new Map<string, GatewayBackends>()
  const tables = new Map<string, GatewayTable>()
  for (const gateway of gateways) {
    const name = gatewayName(gateway)
    const { hosts, backends: tally } = attached.get(name) ?? noRoutes
    const own = gatewayBackends(tally, gateway.state.parameters.origin, source, memo.backends.get(name))
    backends.set(name, own)
    const table = gatewayTable(gateway, hosts, own.backends, memo.tables.get(name))
    if (table !== undefined) tables.set(name, table)
  }

  const classes = snapshot.list('GatewayClass').flatMap((each) => classState(each, site.controllers, source) ?? [])
  const stray = strays(snapshot.list('GatewayClass'), snapshot.list('Gateway'), source)
  const policies = policyStates(snapshot.list('BackendTLSPolicy'), source, gateways, attached)
  return {
    tables: [...tables.values()],
    findings: findingsOf(stray, classes, gateways, policies, routes, [...backends.values()]),
    classes,
    gateways: gateways.map((gateway) => ({
      ...gateway,
      attached: (attached.get(gatewayName(gateway)) ?? noRoutes).attached,
    })),
    routes,
    policies,
    memo: {
      site,
      indexes,
      gateways: keptGateways,
      parents,
      tls,
      kept,
      admissions,
      routes,
      attached,
      backends,
      tables,
      checks,
      shared,
    },
  }
}

const indexesOf = (snapshot: Snapshot, parents: Parents, tls: AllBackendTls): Indexes => ({
  ...snapshot.indexes,
  parent: parents.byKey,
  defaultGateways: parents.defaults,
  backendTls: tls.byService,
})

const gatewayName = ({ state: { gateway } }: GatewayListeners): string =>
  nameOf(gateway.metadata.namespace, gateway.metadata.name)

function gatewaysOf(all: readonly Gateway[], source: Source, { site, gateways, checks }: Memo): Memo['gateways'] {
  const found = new Map<Gateway, Kept<GatewayListeners | undefined>>()
  for (const gateway of all) {
    const kept = keep(gateways.get(gateway), source, (source) => {
      const gatewayClass = source.look('GatewayClass', nameOf('', gateway.spec.gatewayClassName))
      const ofClass = gatewayClass && classState(gatewayClass, site.controllers, source)
      return ofClass && gatewayListeners(gatewayState(gateway, ofClass, site.network, source), source, checks)
    })
    found.set(gateway, kept)
  }
  return found
}

function routesOf(routes: readonly Route[], source: Source, earlier: readonly KeptRoute[]): readonly KeptRoute[] {
  const earlierOf = matching(earlier, routes, ({ state }) => state.route)
  return routes.map((route, index) => routeState(route, earlierOf(index), source))
}

function findingsOf(
  stray: readonly Finding[],
  classes: readonly ClassState[],
  gateways: readonly GatewayListeners[],
  policies: readonly PolicyState[],
  routes: readonly RouteState[],
  backends: readonly GatewayBackends[],
): readonly Finding[] {
  const all = new Set(stray)
  const add = ({ findings }: { readonly findings: readonly Finding[] }): void => {
    for (const finding of findings) all.add(finding)
  }
  for (const each of classes) add(each)
  for (const gateway of gateways) {
    add(gateway)
    for (const listener of gateway.listeners) add(listener)
    for (const set of gateway.sets) {
      add(set)
      for (const listener of set.listeners) add(listener)
    }
  }
  for (const policy of policies) add(policy)
  for (const route of routes) add(route)
  for (const { states } of backends) for (const { value } of states) add(value)
  return [...all]
}
