import { canBeSigned, joinEntry, type Signed, signedMessage } from '../../engine/signed-root.ts'
import type { Signer } from './sign-key.ts'
import type { StoredRoot } from './stored.ts'

/** Seconds. A root whose Gateway is gone must outlive the time for which it stays in the store. */
export const MIN_VALIDITY = 3_600

export interface Signing {
  readonly signer: Signer
  /** Seconds; undefined: for ever. */
  readonly validFor: number | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * What `signer` itself has signed of the stored roots, by key. Nothing else is believed: whoever may write to the store
 * could otherwise have a sequence signed that is ahead of all to come, and bring that table back later.
 */
export async function ownSignatures(
  stored: ReadonlyMap<string, StoredRoot>,
  signer: Signer,
): Promise<ReadonlyMap<string, Signed>> {
  const own = new Map<string, Signed>()
  for (const [key, { rootBytes, signed }] of stored) {
    const signatures = signed?.signatures.filter(({ keyId }) => keyId === signer.keyId) ?? []
    if (signed === undefined || signatures.length === 0 || !canBeSigned(key)) continue
    const message = signedMessage(key, signed, await sha256(rootBytes))
    for (const { signature } of signatures) if (await signer.verify(message, signature)) own.set(key, signed)
  }
  return own
}

/** Those of the keys that are to be signed anew: by another key than before, or because too little of their time is left. */
export function toRenew(
  keys: Iterable<string>,
  own: ReadonlyMap<string, Signed>,
  validFor: number | undefined,
  now: number,
): ReadonlySet<string> {
  return new Set([...keys].filter((key) => canBeSigned(key) && !hasEnoughTime(own.get(key), validFor, now)))
}

/** Half of the validity, and no more than all of it: who shortens it means it. */
function hasEnoughTime(signed: Signed | undefined, validFor: number | undefined, now: number): boolean {
  if (signed === undefined) return false
  if (validFor === undefined || signed.notAfter === 0) return validFor === undefined && signed.notAfter === 0
  const left = signed.notAfter - now / 1000
  return left > validFor / 2 && left <= validFor + 1
}

export interface SignedRoots {
  /** By key, as the store has them. */
  readonly entries: ReadonlyMap<string, Uint8Array>
  readonly signatures: ReadonlyMap<string, Signed>
}

/** Signs encoded Roots, each with a higher sequence than it has in `own`. A key that no Gateway has is left unsigned. */
export async function signRoots(
  roots: ReadonlyMap<string, Uint8Array>,
  own: ReadonlyMap<string, Signed>,
  { signer, validFor, now }: Signing,
): Promise<SignedRoots> {
  const notAfter = validFor === undefined ? 0 : Math.ceil(now / 1000) + validFor
  const entries = new Map(roots)
  const signatures = new Map<string, Signed>()
  for (const [key, root] of roots) {
    if (!canBeSigned(key)) continue
    const sequence = Math.max(Math.floor(now), (own.get(key)?.sequence ?? 0) + 1)
    const message = signedMessage(key, { sequence, notAfter }, await sha256(root))
    const signature = await signer.sign(message)
    const signed = { sequence, notAfter, signatures: [{ keyId: signer.keyId, signature }] }
    signatures.set(key, signed)
    entries.set(key, joinEntry(root, signed))
  }
  return { entries, signatures }
}

const sha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
