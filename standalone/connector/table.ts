import { createHash } from 'node:crypto'
import { endpointKey } from '../../engine/origin-token-address.ts'
import { tlsIdentity, tlsName } from '../../engine/origin-token-tls.ts'
import { shardName } from '../../engine/shards.ts'
import { type Backend, type BackendTls, Root, Shard } from '../../proto/gen/route_table.ts'
import type { Feed, KeyPair } from '../feed.ts'

/** What a connector may do: speak to these endpoints, and to those within TLS in these ways. */
export interface ConnectorTable {
  /** As endpointKey writes them. */
  readonly endpoints: Pick<ReadonlySet<string>, 'has'>
  /** By OriginToken.tls. */
  readonly tls: Pick<ReadonlyMap<string, OriginTls>, 'get'>
  /** What origins can be shown, by the name of the Secret. */
  readonly keyPairs: Pick<ReadonlyMap<string, KeyPair>, 'get'>
}

export interface OriginTls {
  readonly policy: BackendTls
  /** As Settings.client_certificate. */
  readonly clientCertificate: string
}

export interface ReadConnectorTable extends ConnectorTable {
  readonly endpoints: ReadonlySet<string>
  readonly tls: ReadonlyMap<string, OriginTls>
}

/** Throws on a table that is not whole or cannot be decoded: whoever asks keeps the one before. */
export function connectorTable({ roots, shards, keyPairs }: Feed): ReadConnectorTable {
  const endpoints = new Set<string>()
  const tls = new Map<string, OriginTls>()
  for (const { backendShards, gateway, settings } of roots.map((bytes) => Root.decode(bytes))) {
    const clientCertificate = settings?.clientCertificate ?? ''
    for (const backend of backendShards.flatMap(({ hash }) => backendsOf(shards, shardName(hash), gateway))) {
      for (const endpoint of backend.endpoints) {
        const key = endpointKey(endpoint)
        if (key !== undefined) endpoints.add(key)
      }
      const policy = backend.tls
      if (policy !== undefined) tls.set(nameOf(policy, clientCertificate), { policy, clientCertificate })
    }
  }
  return { endpoints, tls, keyPairs }
}

function backendsOf(shards: Feed['shards'], name: string, gateway: string): readonly Backend[] {
  const bytes = shards.get(name)
  if (bytes === undefined) throw new Error(`Gateway ${gateway}: shard ${name} is missing`)
  return Shard.decode(bytes).backends
}

const nameOf = (policy: BackendTls, clientCertificate: string): string =>
  tlsName(createHash('sha256').update(tlsIdentity(policy, clientCertificate)).digest())
