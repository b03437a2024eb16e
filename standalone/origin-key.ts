import { createHash } from 'node:crypto'
import { BackendTls } from '../proto/gen/route_table.ts'
import type { Origin } from './origin-client.ts'

const digests = new WeakMap<BackendTls, string>()

/** The same for origins that are equal, also when they come from two versions of a table: address, port, and all that a
 *  BackendTLSPolicy says, so that no connection is shared by two policies. */
export function originKey({ endpoint: { address, port }, tls }: Origin): string {
  return tls === undefined ? `${address} ${port}` : `${address} ${port} ${digestOf(tls)}`
}

function digestOf(tls: BackendTls): string {
  let digest = digests.get(tls)
  if (digest === undefined) {
    digest = createHash('sha256').update(BackendTls.encode(tls).finish()).digest('base64')
    digests.set(tls, digest)
  }
  return digest
}
