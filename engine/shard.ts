import { type Backend, type Filter, type Host, PathMatch_Kind, Shard } from '../proto/gen/route_table.ts'
import { HostRoutes } from './host-routes.ts'
import { Strings } from './ranked-match.ts'
import { fieldsOf } from './wire.ts'

/** A shard, ready to be asked. */
export interface LoadedShard {
  /** Encoded, in bytes. */
  readonly size: number
  /** By hostname; HostRoutes.next leads to those of other listeners. */
  readonly hosts: ReadonlyMap<string, HostRoutes>
  readonly backends: ReadonlyMap<string, Backend>
}

/** Field number of Shard.hosts. */
const HOSTS = 1

/** Throws when the bytes are no shard that this code can serve. Keeps them. */
export function readShard(bytes: Uint8Array): LoadedShard {
  // Decoded as a whole only to find out now, not in the middle of a request, what is wrong with it.
  const { hosts: decoded, backends } = Shard.decode(bytes)
  const ranges = [...fieldsOf(bytes, 0, bytes.length)].filter(({ number }) => number === HOSTS)
  const hosts = new Map<string, HostRoutes>()
  const listeners = new Strings()
  for (const [index, range] of ranges.entries()) {
    const host = decoded[index]
    if (host === undefined) throw new RangeError(`no host ${index}`)
    check(host)
    const { hostname } = host
    hosts.set(hostname, new HostRoutes(listeners.shared(host.listener), hostname, hosts.get(hostname), bytes, range))
  }
  return { size: bytes.length, hosts, backends: new Map(backends.map((backend) => [backend.key, backend])) }
}

/** What the generated decoder lets through. To serve a request without a filter that is not known would be worse than to
 *  keep the last good table. */
function check({ hostname, matches, rules }: Host): void {
  for (const { rule, path } of matches) {
    if (rule >= rules.length) throw new Error(`a match of Host "${hostname}" has no rule`)
    if (path !== undefined && !PATH_KINDS.has(path.kind))
      throw new Error(`Host "${hostname}" has an unknown kind of path`)
  }
  for (const rule of rules) {
    if (!areKnown(rule.filters) || !rule.backends.every((ref) => areKnown(ref.filters))) {
      throw new Error(`${rule.route} has an unknown filter`)
    }
  }
}

const PATH_KINDS: ReadonlySet<number> = new Set(Object.values(PathMatch_Kind))

const areKnown = (filters: readonly Filter[]): boolean => filters.every((filter) => filter.kind !== undefined)
