import { createHmac } from 'node:crypto'
import {
  formatToken,
  hostHeader,
  type OriginProtocol,
  type OriginToken,
  originHeader,
  tokenPayload,
} from '../engine/origin-token.ts'
import { endpointKey } from '../engine/origin-token-address.ts'
import type { Endpoint } from '../proto/gen/route_table.ts'
import { type Connector, type ConnectorLimits, createConnector } from '../standalone/connector.ts'
import { createHttp1Upstream, type Http1Limits, http1Limits } from '../standalone/http1-upstream.ts'
import { RawConnection } from './raw-connection.ts'

export const secret = Buffer.from('a secret of thirty-two bytes, ok')

export interface Rig {
  readonly connector: Connector
  readonly port: number
  /** Secrets and endpoints that the connector knows; change them as you like. */
  readonly keys: Map<string, Uint8Array>
  readonly endpoints: Set<string>
  /** Event and fields of everything logged. */
  readonly logged: string[]
  client(): Promise<RawConnection>
  close(): Promise<void>
}

export interface RigOptions {
  readonly limits?: Partial<ConnectorLimits>
  readonly http1?: Partial<Http1Limits>
  readonly now?: () => number
}

/** A connector on a free port that has `endpoints` in its table. */
export async function startRig(endpoints: readonly Endpoint[], options: RigOptions = {}): Promise<Rig> {
  const keys = new Map<string, Uint8Array>([['k1', secret]])
  const known = new Set(endpoints.map((endpoint) => endpointKey(endpoint) ?? ''))
  const logged: string[] = []
  const connector = createConnector({
    keys: () => keys,
    isEndpoint: (endpoint) => known.has(endpoint),
    upstreams: { http1: createHttp1Upstream({ ...http1Limits, ...options.http1 }) },
    now: options.now ?? Date.now,
    log: (event, fields) => logged.push(`${event} ${JSON.stringify(fields)}`),
    ...(options.limits && { limits: options.limits }),
  })
  const address = await connector.listen({ host: '127.0.0.1', port: 0 })
  const port = Number(address.split(':')[1])
  return {
    connector,
    port,
    keys,
    endpoints: known,
    logged,
    client: () => RawConnection.open(port),
    close: () => connector.close(0),
  }
}

export interface TokenOptions {
  readonly keyId?: string
  readonly protocol?: OriginProtocol
  /** Seconds since the epoch. */
  readonly expires?: number
  readonly secret?: Uint8Array
}

export function token(endpoint: Endpoint, options: TokenOptions = {}): string {
  const fields: OriginToken = {
    keyId: options.keyId ?? 'k1',
    protocol: options.protocol ?? 'http1',
    endpoint: endpointKey(endpoint) ?? '',
    expires: options.expires ?? Math.floor(Date.now() / 1000) + 30,
  }
  const payload = tokenPayload(fields)
  return formatToken(
    payload,
    createHmac('sha256', options.secret ?? secret)
      .update(payload)
      .digest(),
  )
}

/** The header lines that the Worker adds, behind a Host of its own. */
export const signed = (endpoint: Endpoint, host = 'Shop.Example:8443'): string =>
  `Host: worker\r\n${hostHeader}: ${host}\r\n${originHeader}: ${token(endpoint)}\r\n`

export const get = (endpoint: Endpoint, more = ''): string => `GET / HTTP/1.1\r\n${signed(endpoint)}${more}\r\n`
