import { encodeTable } from '../publish/encode.ts'
import type { GatewayTable } from '../table.ts'
import { diffRoutes, type RouteDiff } from './route-diff.ts'
import type { PublishedTable } from './table-side.ts'

/** What a test says of a table. */
export type TableParts = Pick<GatewayTable, 'listeners' | 'hosts' | 'backends'> &
  Partial<Pick<GatewayTable, 'addresses' | 'settings'>>

export function published(parts: TableParts): PublishedTable {
  const settings = { hideReason: false, trustedHops: 0, clientCertificate: '' }
  const encoded = encodeTable({
    gateway: 'shop/web',
    controller: 'landfall.dev/edge-controller',
    addresses: [],
    settings,
    ...parts,
  })
  if (!encoded.ok) throw new Error('a test has a small table')
  return encoded.table
}

export const diffOf = (before: TableParts, after: TableParts): RouteDiff =>
  diffRoutes('shop/web', published(before), published(after))
