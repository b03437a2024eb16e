import type { Secret } from '../../kube/core/secret.ts'
import type { Snapshot } from '../snapshot.ts'
import type { GatewayTable } from '../table.ts'
import { type KeyPair, keyPairOf } from './certificates.ts'

const pairs = new WeakMap<Secret, KeyPair>()

/** The key pairs that tables name, by Secret as Tls.certificates names it. They stand in no table and no store: whoever serves
 *  with them reads the Secrets itself. The pair of a Secret that is the same object is the same object. */
export function keyPairs(tables: readonly GatewayTable[], snapshot: Snapshot): ReadonlyMap<string, KeyPair> {
  const found = new Map<string, KeyPair>()
  for (const name of new Set(tables.flatMap(namesOf))) {
    const secret = snapshot.look('Secret', name)
    if (secret === undefined) continue
    const pair = pairs.get(secret) ?? keyPairOf(secret)
    pairs.set(secret, pair)
    found.set(name, pair)
  }
  return found
}

const namesOf = ({ listeners, settings }: GatewayTable): readonly string[] => [
  ...listeners.flatMap(({ tls }) => tls?.certificates ?? []),
  ...(settings.clientCertificate === '' ? [] : [settings.clientCertificate]),
]
