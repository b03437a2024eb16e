import type { Backend, Host, Listener, Settings } from '../proto/gen/route_table.ts'

/**
 * What a Gateway's manifests compile to. Hosts and backends that did not change since the last compile are the same
 * objects: publishing encodes each object once. Listeners are unique by id, hosts by listener and hostname, backends by
 * key; their order means nothing, that of a Host's matches everything.
 */
export interface GatewayTable {
  /** "namespace/name". */
  readonly gateway: string
  /** GatewayClassSpec.controllerName: which data plane the Gateway is for. */
  readonly controller: string
  /** IP addresses; none: wherever the data plane listens otherwise. */
  readonly addresses: readonly string[]
  readonly listeners: readonly Listener[]
  readonly hosts: readonly Host[]
  readonly backends: readonly Backend[]
  readonly settings: Settings
}
