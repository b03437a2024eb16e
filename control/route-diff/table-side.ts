import { Patterns } from '../../engine/patterns.ts'
import type { Router } from '../../engine/router.ts'
import { hashOf } from '../../engine/store-keys.ts'
import { Streams } from '../../engine/streams.ts'
import { readRoot } from '../../engine/table.ts'
import { fieldsOf, part, ShardField } from '../../engine/wire.ts'
import { Backend, Host, type Root } from '../../proto/gen/route_table.ts'
import { encodeTable } from '../publish/encode.ts'
import type { Expressions } from './text-test.ts'

/** A table as a store keeps it: control/publish/encode.ts, EncodedTable. */
export interface PublishedTable {
  readonly rootBytes: Uint8Array
  /** By name, "shard/<hash>". */
  readonly shards: ReadonlyMap<string, Uint8Array>
}

/** One of the two tables that are compared. */
export interface TableSide {
  readonly router: Router
  readonly streams: Streams
  readonly root: Root
  /** By hostKey. */
  readonly hosts: ReadonlyMap<string, Host>
  /** By Backend.key. */
  readonly backends: ReadonlyMap<string, Backend>
}

export const hostKey = (listener: string, hostname: string): string => `${listener} ${hostname}`

/** Both tables with their parts decoded. What is the same in both, byte for byte, is one object. */
export function tableSides(
  gateway: string,
  before: PublishedTable | undefined,
  after: PublishedTable | undefined,
): readonly [TableSide, TableSide] {
  const parts = new Parts()
  const none = before === undefined || after === undefined ? emptyTable(gateway) : undefined
  const sides = [before ?? none, after ?? none].flatMap((table) => (table === undefined ? [] : parts.side(table)))
  const [first, second] = sides
  if (first === undefined || second === undefined) throw new TypeError('two tables are compared')
  return [first, second]
}

export const expressions = (): Expressions => new Patterns()

/** That of a Gateway that is not there. */
function emptyTable(gateway: string): PublishedTable {
  const settings = { hideReason: false, trustedHops: 0, clientCertificate: '' }
  const encoded = encodeTable({
    gateway,
    controller: '',
    addresses: [],
    listeners: [],
    hosts: [],
    backends: [],
    settings,
  })
  if (!encoded.ok) throw new TypeError('an empty table is small enough')
  return encoded.table
}

class Parts {
  readonly #hosts = new Map<string, Host>()
  readonly #backends = new Map<string, Backend>()

  /** Throws TableError. */
  side({ rootBytes, shards }: PublishedTable): TableSide {
    const router = readRoot(rootBytes, undefined, Number.POSITIVE_INFINITY)
    const hosts = new Map<string, Host>()
    const backends = new Map<string, Backend>()
    for (const [name, bytes] of shards) {
      router.addShard(hashOf(name), bytes)
      for (const field of fieldsOf(bytes, 0, bytes.length)) {
        const own = part(bytes, field)
        if (field.number === ShardField.hosts) {
          const host = same(this.#hosts, own, Host.decode)
          hosts.set(hostKey(host.listener, host.hostname), host)
        } else if (field.number === ShardField.backends) {
          const backend = same(this.#backends, own, Backend.decode)
          backends.set(backend.key, backend)
        }
      }
    }
    return { router, streams: new Streams(router.table), root: router.root, hosts, backends }
  }
}

function same<T>(known: Map<string, T>, bytes: Uint8Array, decode: (bytes: Uint8Array) => T): T {
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  let value = known.get(key)
  if (value === undefined) {
    value = decode(bytes)
    known.set(key, value)
  }
  return value
}
