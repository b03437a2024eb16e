import { isDeepStrictEqual } from 'node:util'
import type { IPPool } from '../../kube/addresses/ip-pool.ts'
import type { ConfigMap } from '../../kube/core/config-map.ts'
import type { Service } from '../../kube/core/service.ts'
import type { Gateway } from '../../kube/gateway-api/gateway.ts'
import type { GatewayClass } from '../../kube/gateway-api/gateway-class.ts'
import { type KubeObject, keyOf } from '../../kube/objects.ts'
import { difference, isSameList } from '../compile/merge.ts'
import { Book } from './book.ts'
import { type Claim, claimOfGateway, claimOfService, oldestClaim } from './claim.ts'
import type { Draft, Given, Lost, Refusal } from './draft.ts'
import { type PoolPlan, PoolPlans } from './pool-plan.ts'
import { type RecordFault, type Records, readRecords, recordsName } from './records.ts'

/** What addresses are given by. */
export interface AddressObjects {
  readonly pools: readonly IPPool[]
  readonly services: readonly Service[]
  readonly gateways: readonly Gateway[]
  readonly classes: readonly GatewayClass[]
  /** ConfigMaps with the name `recordsName`. */
  readonly records: readonly ConfigMap[]
}

/** What becomes of a claim. */
export interface Outcome {
  readonly claim: Claim
  /** Of each want. */
  readonly given: readonly (Given | undefined)[]
  /** Of each want that is given nothing. */
  readonly refusals: readonly (Refusal | undefined)[]
  /** What it held, and has not any more. */
  readonly lost: readonly Lost[]
  /** Why it is not satisfied; undefined when it is. */
  readonly refusal: Refusal | undefined
  /** Whether there is a pool that selects it, or one that it names: what has none may have its addresses from somebody else. */
  readonly isSelected: boolean
}

export interface PoolUse extends PoolPlan {
  /** Addresses that are held. */
  readonly used: number
}

/** Who has which address. */
export interface Allocation {
  readonly objects: AddressObjects
  readonly pools: readonly PoolUse[]
  /** By key, in no order. */
  readonly outcomes: ReadonlyMap<string, Outcome>
  readonly faults: readonly RecordFault[]
  /** For the next allocation. */
  readonly memo: Memo | undefined
}

interface Memo {
  readonly plans: PoolPlans
  readonly records: Records
  /** Handed on from one allocation to the next that adds to it: it is that of this one while it has so many claims. */
  readonly book: Book
  readonly claims: number
}

/** Which data plane can listen at an address of one's own network. */
const controller = 'landfall.dev/gateway-controller'

export const noAllocation: Allocation = {
  objects: { pools: [], services: [], gateways: [], classes: [], records: [] },
  pools: [],
  outcomes: new Map(),
  faults: [],
  memo: undefined,
}

/** Picks what addresses are given by, in the order that the objects are in. */
export function addressObjects(all: readonly KubeObject[]): AddressObjects {
  return {
    pools: all.filter((object) => object.kind === 'LoadBalancerIPPool' || object.kind === 'CiliumLoadBalancerIPPool'),
    services: all.filter((object) => object.kind === 'Service'),
    gateways: all.filter((object) => object.kind === 'Gateway'),
    classes: all.filter((object) => object.kind === 'GatewayClass'),
    records: all.filter((object) => object.kind === 'ConfigMap').filter(isRecord),
  }
}

export const isRecord = ({ metadata }: ConfigMap): boolean => metadata.name === recordsName

/**
 * Gives addresses of pools to those that claim them. Pure: the same objects, in whatever order, give the same allocation, sooner
 * with `previous`; so everybody who reads the same objects comes to the same. First each claim keeps what its status says that
 * it has, then what a record says; then those are heard that ask for an address by name, then all others. Within each round the
 * oldest claim goes first, then by namespace and name.
 */
export function allocate(objects: AddressObjects, previous: Allocation = noAllocation): Allocation {
  if (objects.pools.length === 0) return previous.memo === undefined ? previous : noAllocation
  return next(objects, previous) ?? fromNothing(objects, previous)
}

/** After claims that are new; undefined where something else is. */
function next(objects: AddressObjects, previous: Allocation): Allocation | undefined {
  const { objects: before, memo, outcomes } = previous
  if (memo === undefined || !isSameList(before.pools, objects.pools)) return undefined
  if (!isSameList(before.records, objects.records) || !isSameList(before.classes, objects.classes)) return undefined
  const news = newClaims(objects, previous)
  if (news === undefined) return undefined
  if (news.length === 0) return { ...previous, objects }
  const { book, claims, plans, records } = memo
  if (book.claims !== claims) return undefined
  const all = new Map(outcomes)
  for (const claim of news) {
    const draft = book.append(claim, records.addresses.get(claim.key) ?? [])
    if (draft === undefined) return undefined
    all.set(claim.key, outcomeOf(draft))
  }
  return {
    objects,
    pools: poolUses(plans, book),
    outcomes: all,
    faults: previous.faults,
    memo: { ...memo, claims: book.claims },
  }
}

/** Those that there were not before, in order; undefined where one has gone, or wants something else. */
function newClaims(objects: AddressObjects, { objects: before, outcomes }: Allocation): readonly Claim[] | undefined {
  const services = difference(before.services, objects.services)
  const gateways = difference(before.gateways, objects.gateways)
  const isOurs = ofClasses(objects.classes)
  const added = [...claimsOf(services.added, [], isOurs), ...claimsOf([], gateways.added, isOurs)]
  const byKey = new Map(added.map((claim) => [claim.key, claim]))
  for (const object of [...services.removed, ...gateways.removed]) {
    const claim = outcomes.get(keyOf(object))?.claim
    if (claim === undefined) continue
    if (!isDeepStrictEqual(byKey.get(claim.key), claim)) return undefined
    byKey.delete(claim.key)
  }
  return [...byKey.values()].sort(oldestClaim)
}

function fromNothing(objects: AddressObjects, previous: Allocation): Allocation {
  const plans = new PoolPlans(objects.pools)
  const records = readRecords(objects.records)
  const book = new Book(plans)
  const claims = claimsOf(objects.services, objects.gateways, ofClasses(objects.classes)).sort(oldestClaim)
  const drafts = claims.map((claim) => book.draft(claim))
  for (const draft of drafts) for (const address of draft.claim.held) book.recall(draft, address, 'status')
  for (const draft of drafts)
    for (const address of records.addresses.get(draft.claim.key) ?? []) book.recall(draft, address, 'record')
  for (const draft of drafts) book.request(draft)
  for (const draft of drafts) book.choose(draft)
  const outcomes = new Map(drafts.map((draft) => [draft.claim.key, kept(outcomeOf(draft), previous)]))
  const memo = { plans, records, book, claims: book.claims }
  return { objects, pools: poolUses(plans, book), outcomes, faults: records.faults, memo }
}

/** The very same outcome as before where it is the same. Gateways alone, which much stands on. */
function kept(outcome: Outcome, { outcomes }: Allocation): Outcome {
  const before = outcomes.get(outcome.claim.key)
  if (before === undefined || outcome.claim.kind !== 'Gateway') return outcome
  return isDeepStrictEqual(before, outcome) ? before : outcome
}

type IsOurs = (gateway: Gateway) => boolean

function ofClasses(classes: readonly GatewayClass[]): IsOurs {
  const ours = new Set(
    classes.filter(({ spec }) => spec.controllerName === controller).map(({ metadata }) => metadata.name),
  )
  return ({ spec }) => ours.has(spec.gatewayClassName)
}

const claimsOf = (services: readonly Service[], gateways: readonly Gateway[], isOurs: IsOurs): Claim[] => [
  ...services.flatMap((service) => claimOfService(service) ?? []),
  ...gateways.flatMap((gateway) => (isOurs(gateway) ? (claimOfGateway(gateway) ?? []) : [])),
]

const poolUses = (plans: PoolPlans, book: Book): readonly PoolUse[] =>
  plans.list.map((plan) => ({ ...plan, used: book.used(plan) }))

function outcomeOf({ claim, given, refusals, lost, pools }: Draft): Outcome {
  const isGiven = given.some((address) => address !== undefined)
  const refusal = claim.wants
    .map(({ isOptional }, index) => (isOptional && isGiven ? undefined : refusals[index]))
    .find((refusal) => refusal !== undefined)
  return { claim, given, refusals, lost, refusal, isSelected: pools.length > 0 || claim.pool !== undefined }
}

/** Addresses that a claim has, in the order of its wants. */
export const addresses = ({ given }: Outcome): readonly string[] => given.flatMap((each) => each?.address ?? [])
