import { readTableKey, tableKeyForm } from '../engine/table-key.ts'
import type { Trust } from '../engine/trusted-roots.ts'

/** What a deployment sets: bindings and variables of wrangler.toml, or of the workerd configuration of `landfall dev`. */
export interface Env {
  /** The store: gateway/… and shard/… entries. */
  readonly TABLES: KVNamespace
  /** The service behind which the connector listens; only needed by backends whose origin is `connector`. */
  readonly CONNECTOR?: Fetcher
  /** Where the connector answers when there is no such binding: "https://connector.example.com", a tunnel's hostname. */
  readonly CONNECTOR_URL?: string
  /** Shared with the connector, as `<key id>:<secret>`. */
  readonly CONNECTOR_KEY?: string
  /** Gateways to serve, as `namespace/name`, separated by commas; all in the store when unset. */
  readonly GATEWAYS?: string
  /** GatewayClassSpec.controllerName of the Gateways to serve; of every one when unset. */
  readonly CONTROLLER?: string
  /** Bearer token of the endpoints under /.well-known/landfall/; they answer 404 when unset. */
  readonly ADMIN_TOKEN?: string
  /** Seconds between looks at the store; 30 when unset. */
  readonly REFRESH_SECONDS?: string
  /** Public keys whose tables are taken, as `landfall keys public` prints them, separated by commas; when unset, every table
   *  is. */
  readonly TABLE_KEYS?: string
  /** With TABLE_KEYS: the lowest sequence of a table that is taken. */
  readonly TABLE_FLOOR?: string
}

/** What a socket of one's own workerd says of the connections it takes (`props` of the workerd configuration). */
export interface SocketProps {
  /** Those that listen there, as `namespace/name`; all when unset. */
  readonly gateways?: readonly string[]
  readonly port?: number
  /** Of connections that carry no HTTP for Landfall to read: what tells where they belong. "tls": their ClientHello; "ended-tls":
   *  a line with the server name, in front of what was within TLS; "tcp": nothing does. */
  readonly protocol?: 'tls' | 'ended-tls' | 'tcp'
}

export interface Config {
  /** undefined: all in the store. */
  readonly gateways: readonly string[] | undefined
  /** undefined: Gateways of every controller. */
  readonly controller: string | undefined
  readonly adminToken: string | undefined
  /** Milliseconds. */
  readonly refreshAfter: number
  /** undefined: every table is taken. */
  readonly trust: Trust | undefined
  /** What cannot be read of the variables, as sentences. */
  readonly faults: readonly string[]
}

export function readConfig(env: Env): Config {
  const gateways = listOf(env.GATEWAYS)
  const seconds = Number(env.REFRESH_SECONDS ?? 30)
  return {
    gateways: gateways.length === 0 ? undefined : gateways,
    controller: env.CONTROLLER === '' ? undefined : env.CONTROLLER,
    adminToken: env.ADMIN_TOKEN === '' ? undefined : env.ADMIN_TOKEN,
    refreshAfter: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : 30_000,
    ...readTrust(env),
  }
}

/** A key that cannot be read is trusted by nobody, and below a floor that cannot be read is everything. */
function readTrust({ TABLE_KEYS, TABLE_FLOOR = '' }: Env): Pick<Config, 'trust' | 'faults'> {
  const texts = listOf(TABLE_KEYS)
  if (texts.length === 0) {
    const fault = 'TABLE_FLOOR says nothing without TABLE_KEYS: every table is taken'
    return { trust: undefined, faults: TABLE_FLOOR === '' ? [] : [fault] }
  }
  const keys = texts.map(readTableKey)
  const faults = keys.flatMap((key, index) =>
    key === undefined ? [`key ${index + 1} of TABLE_KEYS is not ${tableKeyForm}`] : [],
  )
  const isFloor = /^\d{0,15}$/.test(TABLE_FLOOR)
  if (!isFloor) faults.push('TABLE_FLOOR is no sequence of a table, and no table is taken')
  return {
    trust: {
      keys: keys.filter((key) => key !== undefined),
      floor: isFloor ? Number(TABLE_FLOOR) : Number.POSITIVE_INFINITY,
    },
    faults,
  }
}

const listOf = (text = ''): readonly string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
