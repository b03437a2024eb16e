import { type RootEntry, type Signed, signedMessage, splitEntry } from './signed-root.ts'
import { TableError } from './table.ts'
import type { TableKey } from './table-key.ts'

/** Whose tables a reader takes. */
export interface Trust {
  readonly keys: readonly TableKey[]
  /** The lowest SignedRoot.sequence that is taken. */
  readonly floor: number
}

/** What is needed here of SubtleCrypto (https://www.w3.org/TR/webcrypto-2/), with the runtime's own type of keys. */
export interface SignatureChecks<Key> {
  digest(algorithm: 'SHA-256', data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>
  importKey(
    format: 'raw',
    keyData: Uint8Array<ArrayBuffer>,
    algorithm: 'Ed25519',
    extractable: boolean,
    usages: 'verify'[],
  ): Promise<Key>
  verify(
    algorithm: 'Ed25519',
    key: Key,
    signature: Uint8Array<ArrayBuffer>,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>
}

/** Takes the roots out of the entries of a store: all of them, or, where there is a Trust, those that it covers. */
export class TrustedRoots<Key> {
  readonly trust: Trust | undefined
  readonly #checks: SignatureChecks<Key>
  /** The highest sequence by the key of the entry. Only who has a pinned key can make it grow. */
  readonly #seen: Map<string, number>

  /** `seen`: what an earlier reader has left. */
  constructor(trust: Trust | undefined, checks: SignatureChecks<Key>, seen: Iterable<readonly [string, number]> = []) {
    this.trust = trust
    this.#checks = checks
    this.#seen = new Map(seen)
  }

  /** The highest sequences that were seen, by the key of the entry. */
  get seen(): ReadonlyMap<string, number> {
    return this.#seen
  }

  /** The encoded Root of an entry. `now` in milliseconds since the epoch. Throws TableError with why it is refused. */
  async rootOf(key: string, entry: Uint8Array, now: number): Promise<Uint8Array> {
    const { root, signed } = splitEntry(entry)
    if (this.trust === undefined) return root
    if (signed === undefined) throw new TableError('the root is not signed')
    await this.#verify(key, { root, signed }, this.trust)
    this.#admit(key, signed, this.trust.floor, now)
    return root
  }

  async #verify(key: string, { root, signed }: SignedEntry, { keys }: Trust): Promise<void> {
    const pinned = keys.flatMap(({ id, publicKey }) =>
      signed.signatures.filter(({ keyId }) => keyId === id).map(({ signature }) => ({ publicKey, signature })),
    )
    const ids = signed.signatures.map(({ keyId }) => keyId).join(', ')
    if (pinned.length === 0)
      throw new TableError(`the root is signed by ${ids || 'nobody'}, and that key is not pinned`)
    const digest = await this.#checks.digest('SHA-256', new Uint8Array(root))
    const message = signedMessage(key, signed, new Uint8Array(digest))
    for (const { publicKey, signature } of pinned) {
      const imported = await this.#checks.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
      if (await this.#checks.verify('Ed25519', imported, new Uint8Array(signature), message)) return
    }
    throw new TableError(`the signature of the root by ${ids} is wrong`)
  }

  #admit(key: string, { sequence, notAfter }: Signed, floor: number, now: number): void {
    if (sequence < floor) throw new TableError(`the root has sequence ${sequence}, below the floor ${floor}`)
    const seen = this.#seen.get(key) ?? 0
    if (sequence < seen) throw new TableError(`the root has sequence ${sequence}, and ${seen} was seen already`)
    this.#seen.set(key, sequence)
    if (notAfter > 0 && now > notAfter * 1000)
      throw new TableError(`the root was valid until ${new Date(notAfter * 1000).toISOString()}`)
  }
}

interface SignedEntry extends RootEntry {
  readonly signed: Signed
}
