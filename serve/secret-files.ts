import { keyPairFault, keyPairOf } from '../control/compile/certificates.ts'
import { ManifestReader } from '../kube/manifests.ts'
import { formatProblem } from '../kube/problem.ts'
import { isSamePair, type KeyPair } from '../standalone/feed.ts'

export interface SecretPairs {
  /** By "namespace/name". The very same map as long as nothing in it has changed. */
  readonly pairs: ReadonlyMap<string, KeyPair>
  /** What cannot be used, as sentences. */
  readonly faults: readonly string[]
}

/** The key pairs of the Secrets in manifests, read again and again. One that is not good any more stays as it last was. */
export class SecretFiles {
  readonly #reader: ManifestReader
  #pairs: ReadonlyMap<string, KeyPair> = new Map()

  constructor(paths: readonly string[]) {
    this.#reader = new ManifestReader(paths)
  }

  async read(): Promise<SecretPairs> {
    const { objects, problems } = await this.#reader.read()
    const faults = problems.map(formatProblem)
    const pairs = new Map<string, KeyPair>()
    for (const object of objects) {
      if (object.kind !== 'Secret' || object.type !== 'kubernetes.io/tls') continue
      const name = `${object.metadata.namespace}/${object.metadata.name}`
      const fault = keyPairFault(object)
      if (fault !== undefined) faults.push(`Secret ${name} ${fault.path.join('.')} ${fault.message}`)
      const pair = fault === undefined ? keyPairOf(object) : this.#pairs.get(name)
      if (pair !== undefined) pairs.set(name, pair)
    }
    if (!isEqual(pairs, this.#pairs)) this.#pairs = pairs
    return { pairs: this.#pairs, faults }
  }
}

const isEqual = (one: ReadonlyMap<string, KeyPair>, other: ReadonlyMap<string, KeyPair>): boolean =>
  one.size === other.size && [...one].every(([name, pair]) => isSamePair(pair, other.get(name)))
