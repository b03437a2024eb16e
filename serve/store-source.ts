import { setTimeout as sleep } from 'node:timers/promises'
import { keyPairFault, keyPairOf } from '../control/compile/certificates.ts'
import type { Store } from '../control/publish/store.ts'
import { shardsOf, storedEntries } from '../control/publish/stored.ts'
import { ManifestReader } from '../kube/manifests.ts'
import { Root } from '../proto/gen/route_table.ts'
import type { KeyPair } from '../standalone/feed.ts'
import type { Source } from './source.ts'

/** Of the keys of shards in a store, before their names. */
const shardPrefix = 'shard/'

/** Published tables, looked at again and again, with the key pairs of Secrets in files: a store has no private keys. `interval`
 *  in milliseconds. */
export function storeSource(
  store: Pick<Store, 'get' | 'list' | 'close'>,
  secrets: readonly string[],
  interval: number,
  failed: (error: unknown) => void,
): Source {
  const reader = new ManifestReader(secrets)
  const stop = new AbortController()
  let looking: Promise<void> | undefined
  /** By key: the shards of the last tables. */
  let shards: ReadonlyMap<string, Uint8Array> = new Map()
  let last = ''
  let lastPairs: ReadonlyMap<string, KeyPair> = new Map()

  async function look(): Promise<Parameters<Parameters<Source['follow']>[0]>[0] | undefined> {
    const keys = (await store.list('gateway/')).toSorted()
    const roots = (await Promise.all(keys.map((key) => store.get(key)))).filter((bytes) => bytes !== undefined)
    const decoded = roots.map((bytes) => Root.decode(bytes))
    const pairs = await keyPairs()
    const versions = decoded.map(({ gateway, version }) => `${gateway} ${version}`).join('\n')
    if (versions === last && pairs === lastPairs) return undefined
    const wanted = [...new Set(decoded.flatMap(shardsOf))]
    const found = await storedEntries(
      store,
      wanted.filter((key) => !shards.has(key)),
    )
    shards = new Map(
      wanted.flatMap((key) => {
        const bytes = found.get(key) ?? shards.get(key)
        return bytes === undefined ? [] : [[key, bytes] as const]
      }),
    )
    const named = new Map([...shards].map(([key, bytes]) => [key.slice(shardPrefix.length), bytes]))
    // A table with a shard missing is asked for again.
    last = wanted.every((key) => shards.has(key)) ? versions : ''
    lastPairs = pairs
    return { feed: { roots, shards: named, keyPairs: pairs }, faults: [], reading: undefined }
  }

  async function keyPairs(): Promise<ReadonlyMap<string, KeyPair>> {
    if (secrets.length === 0) return lastPairs
    const { objects } = await reader.read()
    const pairs = new Map<string, KeyPair>()
    for (const object of objects) {
      if (object.kind !== 'Secret' || object.type !== 'kubernetes.io/tls' || keyPairFault(object) !== undefined)
        continue
      pairs.set(`${object.metadata.namespace}/${object.metadata.name}`, keyPairOf(object))
    }
    const isSame =
      pairs.size === lastPairs.size &&
      [...pairs].every(([name, { certificate, privateKey }]) => {
        const before = lastPairs.get(name)
        return before?.certificate === certificate && before.privateKey === privateKey
      })
    return isSame ? lastPairs : pairs
  }

  return {
    follow: async (take) => {
      const first = await look()
      if (first !== undefined) await take(first)
      looking = (async () => {
        for (;;) {
          await sleep(interval, undefined, { signal: stop.signal })
          try {
            const supply = await look()
            if (supply !== undefined) await take(supply)
          } catch (error) {
            failed(error)
          }
        }
      })().catch(() => undefined)
    },
    close: async () => {
      stop.abort()
      await looking
      await store.close()
    },
  }
}
