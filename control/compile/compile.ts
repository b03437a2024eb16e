import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import { type Allocation, allocate, isRecord, noAllocation } from '../addresses/allocation.ts'
import type { Snapshot } from '../snapshot.ts'
import { nameOf } from '../snapshot-index.ts'
import type { GatewayTable } from '../table.ts'
import { addressFindings } from './address-findings.ts'
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
import { allPolicies, noPolicies, type Policies, type PolicyGateway, type PolicyState } from './policies.ts'
import { type KeptRoute, type RouteState, routeState } from './route-state.ts'
import { type Route, routeKinds } from './routes.ts'
import type { CertificateChecks } from './secrets.ts'
import { type Indexes, type Source, type SourceTopics, sourceOf } from './source.ts'
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
  /** Of the pools' addresses. */
  readonly allocation: Allocation
  /** For the next compile. */
  readonly memo: Memo
}

/** What a compile leaves to the next. It holds nothing that does not follow from the objects. */
interface Memo {
  readonly site: Site
  readonly allocation: Allocation
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
  readonly policies: Policies
  readonly checks: CertificateChecks
  readonly shared: Shared
}

const emptyMemo = (site: Site): Memo => ({
  site,
  allocation: noAllocation,
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
  policies: noPolicies,
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

  // 1. gateways, with addresses of pools, 2. listeners: what parents there are.
  const allocation = allocationOf(snapshot, memo.allocation)
  const objects = sourceOf(indexesOf(snapshot, noParents, noBackendTls, allocation), memo.indexes)
  const keptGateways = gatewaysOf(snapshot.list('Gateway'), objects, memo)
  const gateways = [...keptGateways.values()].flatMap(({ value }) => value ?? [])
  const parents = parentsOf(gateways, memo.parents)

  // 3. attach, 4. references, 5. rules: one route at a time, then what routes take from each other.
  const tls = allBackendTls(snapshot.policyTargets, objects, checks, memo.tls)
  const indexes = indexesOf(snapshot, parents, tls, allocation)
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
  const results = gateways.map((gateway) => ({ gateway, own: attached.get(gatewayName(gateway)) ?? noRoutes }))
  const backends = new Map<string, GatewayBackends>()
  const tables = new Map<string, GatewayTable>()
  for (const { gateway, own } of results) {
    const name = gatewayName(gateway)
    const ofGateway = gatewayBackends(own.backends, gateway.state.origin, source, memo.backends.get(name))
    backends.set(name, ofGateway)
    const table = gatewayTable(gateway, own.hosts, ofGateway.backends, memo.tables.get(name))
    if (table !== undefined) tables.set(name, table)
  }

  const classes = snapshot.list('GatewayClass').flatMap((each) => classState(each, site.controllers, source) ?? [])
  const policies = allPolicies(snapshot.list('BackendTLSPolicy'), tls, results.map(policyGateway), memo.policies)
  const findings = allFindings(
    [{ findings: [...strays(snapshot), ...addressFindings(allocation)] }],
    classes,
    gateways.flatMap((gateway) => [
      gateway,
      ...gateway.listeners,
      ...gateway.sets.flatMap((set) => [set, ...set.listeners]),
    ]),
    policies.states,
    routes,
    [...backends.values()].flatMap(({ states }) => states.map(({ value }) => value)),
  )
  return {
    tables: [...tables.values()],
    findings,
    classes,
    gateways: results.map(({ gateway, own }) => ({ ...gateway, attached: own.attached })),
    routes,
    policies: policies.states,
    allocation,
    memo: {
      site,
      allocation,
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
      policies,
      checks,
      shared,
    },
  }
}

const allocationOf = (snapshot: Snapshot, previous: Allocation): Allocation =>
  allocate(
    {
      pools: [...snapshot.list('CiliumLoadBalancerIPPool'), ...snapshot.list('LoadBalancerIPPool')],
      services: snapshot.list('Service'),
      gateways: snapshot.list('Gateway'),
      classes: snapshot.list('GatewayClass'),
      records: snapshot.list('ConfigMap').filter(isRecord),
    },
    previous,
  )

const indexesOf = (snapshot: Snapshot, parents: Parents, tls: AllBackendTls, { outcomes }: Allocation): Indexes => ({
  ...snapshot.indexes,
  claim: outcomes,
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

/** What no route looks up: news about them leaves all routes as they are. */
const aside: ReadonlySet<keyof SourceTopics> = new Set([
  ...routeKinds,
  'CiliumLoadBalancerIPPool',
  'EndpointSlice',
  'LoadBalancerIPPool',
  'claim',
  'slices',
])

function routesOf(routes: readonly Route[], source: Source, earlier: readonly KeptRoute[]): readonly KeptRoute[] {
  const earlierOf = matching(earlier, routes, ({ state }) => state.route)
  const isQuiet = [...source.news].every((topic) => aside.has(topic))
  return routes.map((route, index) => {
    const before = earlierOf(index)
    return isQuiet && before !== undefined ? before : routeState(route, before, source)
  })
}

const policyGateway = ({ gateway, own }: { gateway: GatewayListeners; own: GatewayRoutes }): PolicyGateway => {
  const { gateway: object, controller } = gateway.state
  const { namespace, name } = object.metadata
  return { namespace, name, controller, services: own.services }
}

/** Each once: listeners share what is wrong with their Gateway. */
function allFindings(...lists: readonly (readonly { readonly findings: readonly Finding[] }[])[]): readonly Finding[] {
  const all = new Set<Finding>()
  for (const list of lists) for (const { findings } of list) for (const finding of findings) all.add(finding)
  return [...all]
}
