import { createHmac } from 'node:crypto'
import { onTestFinished } from 'vitest'
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
import { type Connector, createConnector } from '../standalone/connector/connector.ts'
import type { OriginTls } from '../standalone/connector/table.ts'
import type { WorkerServerLimits } from '../standalone/connector/worker-server.ts'
import type { KeyPair } from '../standalone/feed.ts'
import type { Http1ClientLimits } from '../standalone/http1-client/limits.ts'
import { type Origin, startOriginUntilEnd } from './origins.ts'
import { RawConnection } from './raw-connection.ts'

export const secret = Buffer.from('a secret of thirty-two bytes, ok')

export interface Rig {
  readonly connector: Connector
  readonly port: number
  /** Secrets, and what the connector's table has; change them as you like. */
  readonly keys: Map<string, Uint8Array>
  readonly endpoints: Set<string>
  readonly tls: Map<string, OriginTls>
  readonly keyPairs: Map<string, KeyPair>
  /** Event and fields of everything logged. */
  readonly logged: string[]
  client(): Promise<RawConnection>
  close(): Promise<void>
}

export interface RigOptions {
  readonly limits?: Partial<WorkerServerLimits>
  readonly http1?: Partial<Http1ClientLimits>
  readonly now?: () => number
}

/** A connector on a free port that has `endpoints` in its table. */
export async function startRig(endpoints: readonly Endpoint[], options: RigOptions = {}): Promise<Rig> {
  const keys = new Map<string, Uint8Array>([['k1', secret]])
  const known = new Set(endpoints.map((endpoint) => endpointKey(endpoint) ?? ''))
  const table = { endpoints: known, tls: new Map<string, OriginTls>(), keyPairs: new Map<string, KeyPair>() }
  const logged: string[] = []
  const connector = createConnector({
    keys: () => keys,
    table: () => table,
    now: options.now ?? Date.now,
    log: (event, fields) => logged.push(`${event} ${JSON.stringify(fields)}`),
    ...(options.limits && { limits: options.limits }),
    ...(options.http1 && { http1: options.http1 }),
  })
  const address = await connector.listen({ host: '127.0.0.1', port: 0 })
  const port = Number(address.split(':')[1])
  return {
    connector,
    port,
    keys,
    ...table,
    logged,
    client: () => RawConnection.open(port),
    close: () => connector.close(0),
  }
}

/** As startRig(), until the test is over. */
export async function startRigUntilEnd(endpoints: readonly Endpoint[], options: RigOptions = {}): Promise<Rig> {
  const rig = await startRig(endpoints, options)
  onTestFinished(() => rig.close())
  return rig
}

export interface Started {
  readonly origin: Origin
  readonly rig: Rig
  readonly client: RawConnection
  readonly endpoint: Endpoint
}

export type Serve = (connection: RawConnection) => void | Promise<void>

/** A connector with one origin in its table, and a client of it, until the test is over. */
export async function startConnector(serve: Serve, options: RigOptions = {}): Promise<Started> {
  const origin = await startOriginUntilEnd(serve)
  const rig = await startRigUntilEnd([origin.endpoint], options)
  return { origin, rig, client: await rig.client(), endpoint: origin.endpoint }
}

export interface TokenOptions {
  readonly keyId?: string
  readonly protocol?: OriginProtocol
  readonly tls?: string
  /** Seconds since the epoch. */
  readonly expires?: number
  readonly secret?: Uint8Array
}

export function token(endpoint: Endpoint, options: TokenOptions = {}): string {
  const fields: OriginToken = {
    keyId: options.keyId ?? 'k1',
    protocol: options.protocol ?? 'http1',
    tls: options.tls ?? '',
    endpoint: endpointKey(endpoint) ?? '',
    expires: options.expires ?? Math.floor(Date.now() / 1000) + 30,
  }
  return sign(tokenPayload(fields), options.secret)
}

export const sign = (payload: string, by: Uint8Array = secret): string =>
  formatToken(payload, createHmac('sha256', by).update(payload).digest())

/** The header lines that the Worker adds, behind a Host of its own. */
export const signed = (endpoint: Endpoint, host = 'Shop.Example:8443'): string =>
  `Host: worker\r\n${hostHeader}: ${host}\r\n${originHeader}: ${token(endpoint)}\r\n`

export const get = (endpoint: Endpoint, more = ''): string => `GET / HTTP/1.1\r\n${signed(endpoint)}${more}\r\n`

export const errorIn = (head: string): string | undefined => /^landfall-error: (.*)\r$/m.exec(head)?.[1]
export const statusIn = (head: string): number => Number(head.split(' ')[1])
export const withoutDate = (head: string): string => head.replace(/^Date: .*\r\n/m, '')
