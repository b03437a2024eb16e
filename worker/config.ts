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
  /** Bearer token of the endpoints under /.well-known/landfall/; they answer 404 when unset. */
  readonly ADMIN_TOKEN?: string
  /** Seconds between looks at the store; 30 when unset. */
  readonly REFRESH_SECONDS?: string
}

/** What a socket of one's own workerd says of the connections it takes (`props` of the workerd configuration). */
export interface SocketProps {
  /** Those that listen there, as `namespace/name`; all when unset. */
  readonly gateways?: readonly string[]
  readonly port?: number
  /** Of connections that carry no HTTP for Landfall to read: whether a ClientHello tells where they belong. */
  readonly protocol?: 'tls' | 'tcp'
}

export interface Config {
  /** undefined: all in the store. */
  readonly gateways: readonly string[] | undefined
  readonly adminToken: string | undefined
  /** Milliseconds. */
  readonly refreshAfter: number
}

export function readConfig(env: Env): Config {
  const gateways = (env.GATEWAYS ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const seconds = Number(env.REFRESH_SECONDS ?? 30)
  return {
    gateways: gateways.length === 0 ? undefined : gateways,
    adminToken: env.ADMIN_TOKEN === '' ? undefined : env.ADMIN_TOKEN,
    refreshAfter: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : 30_000,
  }
}
