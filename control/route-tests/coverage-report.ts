import type { Loaded } from '../../kube/loaded.ts'
import { type KubeObject, keyOf } from '../../kube/objects.ts'
import type { FieldPath } from '../../kube/rule.ts'
import { callConditions } from '../compile/grpc-matches.ts'
import { requestConditions } from '../compile/matches.ts'
import { type Coverage, matchWords, type Part } from './coverage.ts'

/** What of a set of manifests tests reach. */
export interface CoverageReport {
  readonly rules: Share
  readonly matches: Share
  readonly filters: Share
  /** Of all three together, from 0 to 100. */
  readonly percent: number
  /** In the order of files and lines, the first of them. Of a rule that no test reaches, its matches and filters are left
   *  out. */
  readonly unreached: readonly PlacedPart[]
  /** How many more there are. */
  readonly more: number
}

export interface Share {
  readonly reached: number
  readonly total: number
}

/** A part of a route, with the place where it is written. */
export interface PlacedPart extends Part {
  readonly file: string
  readonly line: number
}

/** Names `most` parts that are not reached: to find where one is written takes its time. */
export function coverageReport({ parts, unreached }: Coverage, loaded: Loaded, most: number): CoverageReport {
  const share = (kind: Part['kind']): Share => {
    const total = parts.filter((part) => part.kind === kind).length
    return { total, reached: total - unreached.filter((part) => part.kind === kind).length }
  }
  const objects = new Map(loaded.objects.map((object, order) => [keyOf(object), { object, order }]))
  const untouched = new Set(unreached.filter(({ kind }) => kind === 'rule').map(ruleOf))
  const told = unreached
    .filter((part) => part.kind === 'rule' || !untouched.has(ruleOf(part)))
    .flatMap((part) => {
      const written = objects.get(part.route)
      return written === undefined ? [] : [{ part, ...written }]
    })
    .sort((a, b) => a.order - b.order || a.part.rule - b.part.rule)
  const placed = told
    .slice(0, most)
    .map(({ part, object }): PlacedPart => ({ ...part, ...loaded.where(object, pathOf(part, object)) }))
  return {
    rules: share('rule'),
    matches: share('match'),
    filters: share('filter'),
    percent: parts.length === 0 ? 100 : ((parts.length - unreached.length) / parts.length) * 100,
    unreached: placed.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1)),
    more: told.length - placed.length,
  }
}

const ruleOf = ({ route, rule }: Part): string => `${route} ${rule}`

/** The nearest field of the route: a filter's list, since a filter that nobody serves has no place in a table. */
function pathOf({ kind, route, rule, words, backendRef }: Part, object: KubeObject): FieldPath {
  const path = ['spec', 'rules', rule]
  if (kind === 'filter') return [...path, ...(backendRef === undefined ? [] : ['backendRefs', backendRef]), 'filters']
  if (kind === 'rule') return path
  const index = conditionsOf(object, rule).findIndex(
    ({ condition }) => matchWords(route, { ...condition, rule }) === words,
  )
  return index === -1 ? path : [...path, 'matches', index]
}

function conditionsOf(object: KubeObject, index: number) {
  if (object.kind === 'HTTPRoute') return object.spec.rules.slice(index, index + 1).flatMap(requestConditions)
  return object.kind === 'GRPCRoute' ? (object.spec.rules ?? []).slice(index, index + 1).flatMap(callConditions) : []
}
