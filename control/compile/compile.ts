import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { Origin } from '../../proto/gen/route_table.ts'
import type { Snapshot } from '../snapshot.ts'
import { nameOf } from '../snapshot-index.ts'
import type { GatewayTable } from '../table.ts'
import type { Network } from './addresses.ts'
import { type Admissions, admit } from './admission.ts'
import { type BackendTls, backendTls } from './backend-tls.ts'
import { type BackendState, backendState } from './backends.ts'
import type { ControllerName } from './features.ts'
import type { Finding } from './finding.ts'
import { type ClassState, classState, gatewayState } from './gateways.ts'
import type { Shared } from './hosts.ts'
import { type Kept, keep } from './kept.ts'
import { type GatewayListeners, gatewayListeners } from './listeners.ts'
import { difference } from './merge.ts'
import { noParents, type Parents, parentsOf } from './parents.ts'
import { type PolicyState, policyStates } from './policies.ts'
import { type KeptRoute, type RouteState, routeState } from './route-state.ts'
import { type Route, routeKinds } from './routes.ts'
import type { CertificateChecks } from './secrets.ts'
import type { Source, SourceTopics } from './source.ts'
import { changedRoutes, type GatewayRoutes, gatewayTable } from './tables.ts'

/** What compile must know beside the objects. */
export interface Site {
  /** Whose GatewayClasses are ours; what belongs to other controllers is left alone. */
  readonly controllers: readonly ControllerName[]
  readonly network: Network
}

/** A Gateway of ours, with what is attached to it. */
export interface GatewayResult extends GatewayListeners {
  /** undefined when nothing is attached. */
  readonly routes: GatewayRoutes | undefined
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
  readonly gateways: ReadonlyMap<Gateway, Kept<GatewayListeners | undefined>>
  readonly parents: Parents
  /** By Service. */
  readonly tls: ReadonlyMap<string, Kept<BackendTls>>
  readonly routes: ReadonlyMap<Route, KeptRoute>
  readonly admissions: Admissions
  readonly admitted: readonly RouteState[]
  /** By Gateway. */
  readonly attached: ReadonlyMap<string, GatewayRoutes>
  /** By origin and Backend.key. */
  readonly backends: ReadonlyMap<string, Kept<BackendState>>
  /** By Gateway. */
  readonly tables: ReadonlyMap<string, GatewayTable>
  readonly checks: CertificateChecks
  readonly shared: Shared
}

const emptyMemo = (site: Site): Memo => ({
  site,
  gateways: new Map(),
  parents: noParents,
  tls: new Map(),
  routes: new Map(),
  admissions: new Map(),
  admitted: [],
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

  // 1. gateways, 2. listeners: what parents there are.
  const keptGateways = gatewaysOf(snapshot, memo)
  const gateways = [...keptGateways.values()].flatMap(({ value }) => value ?? [])
  const parents = parentsOf(gateways, memo.parents)

  // 3. attach, 4. references, 5. rules: one route at a time, then what routes take from each other.
  const tls = tlsOf(snapshot, memo)
  const source = world(snapshot, parents, tls)
  const keptRoutes = routesOf(snapshot, source, memo)
  const states = Array.from(keptRoutes.values(), ({ state }) => state)
  const { routes, admissions } = admit(states, memo.admissions)

  // 6. precedence, 7. tables: what changed is merged in.
  const { removed, added } = difference(memo.admitted, routes)
  const attached = changedRoutes(memo.attached, removed, added, memo.shared)
  const backends = backendsOf(gateways, attached, source, memo)
  const tables = tablesOf(gateways, attached, backends, memo)

  const classes = snapshot.list('GatewayClass').flatMap((each) => classState(each, site.controllers, source) ?? [])
  const policies = policyStates(snapshot.list('BackendTLSPolicy'), source, gateways, attached)
  return {
    tables: [...tables.values()],
    findings: findingsOf(classes, gateways, policies, routes, backends),
    classes,
    gateways: gateways.map((gateway) => ({ ...gateway, routes: attached.get(gatewayName(gateway)) })),
    routes,
    policies,
    memo: { ...memo, site, gateways: keptGateways, parents, tls, routes: keptRoutes, admissions, admitted: routes, attached, backends, tables },
  }
}

type World = { readonly [T in keyof SourceTopics]: { get(name: string): SourceTopics[T] | undefined } }

/** What passes look things up in. */
function world(snapshot: Snapshot, parents: Parents, tls: ReadonlyMap<string, Kept<BackendTls>>): Source {
  const indexes: World = {
    ...snapshot.indexes,
    parent: parents.byKey,
    defaultGateways: { get: () => parents.defaults },
    backendTls: { get: (service) => tls.get(service)?.value },
  }
  return { look: (topic, name) => indexes[topic].get(name) }
}

function gatewaysOf(snapshot: Snapshot, { site, gateways, checks }: Memo): Memo['gateways'] {
  const source = world(snapshot, noParents, new Map())
  const found = new Map<Gateway, Kept<GatewayListeners | undefined>>()
  for (const gateway of snapshot.list('Gateway')) {
    const kept = keep(gateways.get(gateway), source, (source) => {
      const gatewayClass = source.look('GatewayClass', nameOf('', gateway.spec.gatewayClassName))
      const ofClass = gatewayClass && classState(gatewayClass, site.controllers, source)
      return ofClass && gatewayListeners(gatewayState(gateway, ofClass, site.network, source), source, checks)
    })
    found.set(gateway, kept)
  }
  return found
}

function tlsOf(snapshot: Snapshot, { tls, checks }: Memo): Memo['tls'] {
  const source = world(snapshot, noParents, new Map())
  const found = new Map<string, Kept<BackendTls>>()
  for (const service of snapshot.policyTargets) {
    found.set(service, keep(tls.get(service), source, (source) => backendTls(service, source, checks)))
  }
  return found
}

function routesOf(snapshot: Snapshot, source: Source, { routes }: Memo): Memo['routes'] {
  const found = new Map<Route, KeptRoute>()
  for (const kind of routeKinds) {
    for (const route of snapshot.list(kind)) found.set(route, routeState(route, routes.get(route), source))
  }
  return found
}

const gatewayName = ({ state: { gateway } }: GatewayListeners): string =>
  nameOf(gateway.metadata.namespace, gateway.metadata.name)

const backendName = (origin: Origin, key: string): string => `${origin} ${key}`

function backendsOf(
  gateways: readonly GatewayListeners[],
  attached: Memo['attached'],
  source: Source,
  { backends }: Memo,
): Memo['backends'] {
  const found = new Map<string, Kept<BackendState>>()
  for (const gateway of gateways) {
    const { origin } = gateway.state.parameters
    for (const { name: key } of attached.get(gatewayName(gateway))?.backends ?? []) {
      const name = backendName(origin, key)
      if (!found.has(name)) found.set(name, keep(backends.get(name), source, (source) => backendState(key, origin, source)))
    }
  }
  return found
}

function tablesOf(
  gateways: readonly GatewayListeners[],
  attached: Memo['attached'],
  backends: Memo['backends'],
  { tables }: Memo,
): Memo['tables'] {
  const found = new Map<string, GatewayTable>()
  for (const gateway of gateways) {
    const name = gatewayName(gateway)
    const { origin } = gateway.state.parameters
    const backendOf = (key: string) => backends.get(backendName(origin, key))?.value.backend
    const table = gatewayTable(gateway, attached.get(name), backendOf, tables.get(name))
    if (table !== undefined) found.set(name, table)
  }
  return found
}

function findingsOf(
  classes: readonly ClassState[],
  gateways: readonly GatewayListeners[],
  policies: readonly PolicyState[],
  routes: readonly RouteState[],
  backends: Memo['backends'],
): readonly Finding[] {
  const all = new Set<Finding>()
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
  for (const { value } of backends.values()) add(value)
  return [...all]
}
