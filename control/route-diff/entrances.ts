import { wider } from '../../engine/hosts.ts'
import { type Host, Protocol } from '../../proto/gen/route_table.ts'
import { type Chain, chainOf } from './chain.ts'
import type { TableSide } from './table-side.ts'
import type { Entrance } from './witness.ts'

/** An entrance with what stands behind it in both tables. */
export interface ComparedEntrance {
  readonly entrance: Entrance
  readonly before: Chain
  readonly after: Chain
}

/**
 * The entrances that tell apart everything that the two tables tell apart by scheme, port and hostname, where what stands
 * behind them differs. One stands for all that meet the same.
 */
export function differingEntrances(
  before: TableSide,
  after: TableSide,
  samples: ReadonlyMap<string, string>,
): readonly ComparedEntrance[] {
  const groups = new Map<string, { heads: number; entrances: ComparedEntrance[] }>()
  const number = numbering()
  for (const entrance of allEntrances(before, after, [...samples.values()])) {
    const compared = {
      entrance,
      before: chainAt(before, entrance),
      after: chainAt(after, entrance),
    }
    const heads = sameHeads(compared.before.hosts, compared.after.hosts)
    const rest = [compared.before.hosts.slice(heads), compared.after.hosts.slice(heads)]
    if (rest.every(({ length }) => length === 0) && sameListeners(compared)) continue
    const key = [compared.before.listener, compared.after.listener, ...rest.flatMap((hosts) => [undefined, ...hosts])]
      .map(number)
      .join()
    const group = groups.get(key)
    // What falls through equal hosts meets what stands behind them, which has an entrance of its own as a rule.
    if (group === undefined || (group.heads > 0 && heads === 0)) groups.set(key, { heads, entrances: [compared] })
    else if (group.heads > 0) group.entrances.push(compared)
  }
  return [...groups.values()].flatMap(({ entrances }) => entrances)
}

export const chainAt = (side: TableSide, { scheme, port, hostname }: Entrance): Chain =>
  chainOf(side, side.router.listener(scheme, port, hostname), hostname)

/** Whether requests that meet no route meet the same. */
const sameListeners = ({ before, after }: ComparedEntrance): boolean =>
  (before.listener === undefined) === (after.listener === undefined)

function sameHeads(before: readonly Host[], after: readonly Host[]): number {
  let same = 0
  while (before[same] !== undefined && before[same] === after[same]) same++
  return same
}

function numbering(): (value: object | undefined) => number {
  const numbers = new Map<object | undefined, number>()
  return (value) => {
    const known = numbers.get(value)
    if (known !== undefined) return known
    numbers.set(value, numbers.size)
    return numbers.size - 1
  }
}

/** Those with a known port first. */
function* allEntrances(before: TableSide, after: TableSide, names: readonly string[]): Generator<Entrance> {
  const listeners = [...before.root.listeners, ...after.root.listeners]
  for (const [scheme, protocol] of SCHEMES) {
    const ports = new Set(listeners.filter((each) => each.protocol === protocol).map(({ port }) => port))
    if (ports.size === 0) continue
    for (const port of [...ports, undefined]) {
      for (const hostname of names) yield { scheme, port, hostname }
    }
  }
}

const SCHEMES = [
  ['http', Protocol.HTTP],
  ['https', Protocol.HTTPS],
] as const

/** For each hostname of a table one that a client may ask for and that no more specific one takes. "" is among them. */
export function sampleHostnames(patterns: Iterable<string>): ReadonlyMap<string, string> {
  const named = new Set(patterns)
  return new Map([...new Set(['', ...named])].map((pattern) => [pattern, sampleOf(pattern, named)]))
}

/** Of everything in both tables. */
export function samplesOf(before: TableSide, after: TableSide): ReadonlyMap<string, string> {
  const sides = [before, after]
  return sampleHostnames(
    sides.flatMap(({ root, hosts }) => [...root.listeners, ...hosts.values()].map(({ hostname }) => hostname)),
  )
}

function sampleOf(pattern: string, named: ReadonlySet<string>): string {
  if (pattern !== '' && !pattern.startsWith('*')) return pattern
  for (const label of labels()) {
    const hostname = pattern === '' ? `${label}.example` : label + pattern.slice(1)
    if (!named.has(hostname) && (pattern !== '' || isFree(hostname, named))) return hostname
    if (pattern === '' && isFree(label, named)) return label
  }
  return ''
}

function* labels(): Generator<string> {
  yield 'any'
  for (let number = 1; ; number++) yield `any${number}`
}

function isFree(hostname: string, named: ReadonlySet<string>): boolean {
  for (let name = hostname; name !== ''; name = wider(name)) if (named.has(name)) return false
  return true
}

/** Where the requests come in that a Host is for; undefined when none come, because another listener takes them. */
export function entranceOf(
  { root, router }: TableSide,
  { listener: id, hostname: pattern }: Host,
  samples: ReadonlyMap<string, string>,
): Entrance | undefined {
  const hostname = samples.get(pattern)
  const listener = root.listeners.find((each) => each.id === id)
  const scheme = SCHEMES.find(([, protocol]) => protocol === listener?.protocol)?.[0]
  if (hostname === undefined || listener === undefined || scheme === undefined) return undefined
  const { port } = listener
  return router.listener(scheme, port, hostname) === listener ? { scheme, port, hostname } : undefined
}
