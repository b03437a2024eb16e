import { canonicalIP } from '../../kube/addresses/ip-number.ts'
import type { ConfigMap } from '../../kube/core/config-map.ts'
import { objectKey } from '../../kube/objects.ts'
import { compareText } from '../compile/merge.ts'
import type { Claim } from './claim.ts'

// Who has which address, written down: a ConfigMap in each namespace, so that nobody writes for another's. Its keys are
// "service.NAME" and "gateway.NAME", its values addresses.

export const recordsName = 'landfall-addresses'

const kindOf = new Map([
  ['service', 'Service'],
  ['gateway', 'Gateway'],
])

/** What is wrong with a record. */
export interface RecordFault {
  readonly map: ConfigMap
  readonly key: string
  readonly message: string
}

export interface Records {
  /** By key of the claim. */
  readonly addresses: ReadonlyMap<string, readonly string[]>
  readonly faults: readonly RecordFault[]
}

export function readRecords(maps: readonly ConfigMap[]): Records {
  const addresses = new Map<string, readonly string[]>()
  const faults: RecordFault[] = []
  for (const map of maps) {
    for (const [key, value] of Object.entries(map.data)) {
      const dot = key.indexOf('.')
      const kind = kindOf.get(key.slice(0, Math.max(dot, 0)))
      const texts = value.split(/[\s,]+/).filter((text) => text !== '')
      const found = texts.flatMap((text) => canonicalIP(text) ?? [])
      if (kind === undefined) faults.push({ map, key, message: 'is nobody; a key is service.NAME or gateway.NAME' })
      else if (found.length < texts.length || texts.length === 0)
        faults.push({ map, key, message: `${JSON.stringify(value.slice(0, 60))} is no list of IP addresses` })
      if (kind !== undefined) addresses.set(objectKey(kind, map.metadata.namespace, key.slice(dot + 1)), found)
    }
  }
  return { addresses, faults }
}

/** What a ConfigMap can have as a key. */
const longestKey = 253

/** ConfigMaps as YAML, for those who have something, in order of namespace and name. A line says who has what, so that
 *  versions differ in those lines that tell of a change. */
export function writeRecords(holders: readonly (readonly [Claim, readonly string[]])[]): string {
  const held = holders.filter(([, addresses]) => addresses.length > 0)
  const byNamespace = Map.groupBy(held, ([{ namespace }]) => namespace)
  const maps = [...byNamespace]
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([namespace, own]) => {
      const lines = own.map(([claim, addresses]) => [recordKey(claim), addresses.join(', ')] as const)
      const data = lines
        .filter(([key]) => key.length <= longestKey)
        .toSorted(([a], [b]) => compareText(a, b))
        .map(([key, value]) => `  ${key}: "${value}"\n`)
      return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${recordsName}\n  namespace: "${namespace}"\ndata:\n${data.join('')}`
    })
  return `# Which Service and Gateway has which address. landfall pools assign writes this file.\n${maps.join('---\n')}`
}

const recordKey = ({ kind, name }: Claim): string => `${kind.toLowerCase()}.${name}`
