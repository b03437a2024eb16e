import { Backend, type Filter, Host, Match, PathMatch_Kind, Rule } from '../proto/gen/route_table.ts'
import type { SharedFilters } from './filters.ts'
import { HostRoutes } from './host-routes.ts'
import { Strings } from './ranked-match.ts'
import { type FieldRange, fieldsOf, HostField, part, ShardField } from './wire.ts'

/** A shard, ready to be asked. */
export interface LoadedShard {
  /** Encoded, in bytes. */
  readonly size: number
  /** By hostname; HostRoutes.next leads to those of other listeners. */
  readonly hosts: ReadonlyMap<string, HostRoutes>
  readonly backends: ReadonlyMap<string, Backend>
}

/** Keeps the bytes. Throws when they are no shard that this code can serve. */
export function readShard(bytes: Uint8Array, filters: SharedFilters): LoadedShard {
  const hosts = new Map<string, HostRoutes>()
  const backends = new Map<string, Backend>()
  const listeners = new Strings()
  for (const field of fieldsOf(bytes, 0, bytes.length)) {
    if (field.number === ShardField.hosts) {
      const { listener, hostname } = checkedHost(bytes, field)
      const next = hosts.get(hostname)
      hosts.set(hostname, new HostRoutes(listeners.shared(listener), hostname, next, filters, bytes, field))
    } else if (field.number === ShardField.backends) {
      const backend = Backend.decode(part(bytes, field))
      backends.set(backend.key, backend)
    }
  }
  return { size: bytes.length, hosts, backends }
}

/** Decodes every part, as HostRoutes will, only to find out now what is wrong, not in the middle of a request. */
function checkedHost(bytes: Uint8Array, range: FieldRange): Pick<Host, 'listener' | 'hostname'> {
  let names = { listener: '', hostname: '' }
  let rules = 0
  let highestRule = -1
  let at = range.start
  for (const field of fieldsOf(bytes, range.start, range.end)) {
    if (field.number === HostField.matches) {
      const { rule, path } = Match.decode(part(bytes, field))
      highestRule = Math.max(highestRule, rule)
      if (path !== undefined && !PATH_KINDS.has(path.kind)) throw new Error(`unknown kind of path ${path.kind}`)
    } else if (field.number === HostField.rules) {
      const { route, filters, backends } = Rule.decode(part(bytes, field))
      // To serve a request without a filter would be worse than to keep the last good table.
      if (!areKnown(filters) || !backends.every((ref) => areKnown(ref.filters)))
        throw new Error(`unknown filter in ${route}`)
      rules++
    } else {
      const { listener, hostname } = Host.decode(bytes.subarray(at, field.end))
      names = { listener: listener || names.listener, hostname: hostname || names.hostname }
    }
    at = field.end
  }
  if (highestRule >= rules) throw new Error(`Host "${names.hostname}" has no rule ${highestRule}`)
  return names
}

const PATH_KINDS: ReadonlySet<number> = new Set(Object.values(PathMatch_Kind))

const areKnown = (filters: readonly Filter[]): boolean => filters.every((filter) => filter.kind !== undefined)
