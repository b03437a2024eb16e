import { SignedRoot } from '../proto/gen/route_table.ts'
import { hex } from './hex.ts'
import { TableError } from './table.ts'

// What a signature of a stored root is over: five lines of ASCII, the last without an end.
//
//   landfall root 1
//   gateway/infra/edge           the key of the entry
//   1700000000000                SignedRoot.sequence
//   1702592000                   SignedRoot.not_after
//   9f86d081…                    SHA-256 of the encoded Root, in hex
//
// The root names its shards by their hashes, so that the signature is over the whole table.

/** An entry `gateway/…` of the store, in its parts. */
export interface RootEntry {
  /** The encoded Root. */
  readonly root: Uint8Array
  /** undefined: nobody has signed it. */
  readonly signed: Signed | undefined
}

export interface Signed {
  /** About milliseconds since the epoch; 1 or more. */
  readonly sequence: number
  /** Seconds since the epoch; 0: for ever. */
  readonly notAfter: number
  readonly signatures: readonly KeySignature[]
}

export interface KeySignature {
  readonly keyId: string
  /** The 64 bytes of Ed25519. RFC 8032 section 5.1.6. */
  readonly signature: Uint8Array
}

/** Each costs a reader the time to check it. */
const MAX_SIGNATURES = 8

const SIGNATURE_BYTES = 64

/** Tag of SignedRoot.root, which is written first; a Root begins with a lower field. */
const SIGNED_ROOT_TAG = [0xa2, 0x06]

/** Says nothing of whether a signature is right. Throws TableError. */
export function splitEntry(entry: Uint8Array): RootEntry {
  if (!SIGNED_ROOT_TAG.every((byte, at) => entry[at] === byte)) return { root: entry, signed: undefined }
  const { root, sequence, notAfter, signatures } = decoded(entry)
  if (!Number.isSafeInteger(sequence) || sequence < 1) throw new TableError('the signed root has no sequence')
  if (signatures.length > MAX_SIGNATURES)
    throw new TableError(`the signed root has ${signatures.length} signatures, more than ${MAX_SIGNATURES}`)
  const isWhole = ({ keyId, signature }: KeySignature): boolean =>
    keyIdForm.test(keyId) && signature.length === SIGNATURE_BYTES
  if (!signatures.every(isWhole)) throw new TableError('a signature of the signed root is none of Ed25519')
  const signed = { sequence, notAfter, signatures }
  // One way only to write an entry, so that nothing stands in it that nobody has signed.
  if (!areEqual(joinEntry(root, signed), entry)) throw new TableError('the signed root is not written as it should be')
  return { root, signed }
}

/** The entry that splitEntry takes apart. */
export const joinEntry = (root: Uint8Array, signed: Signed): Uint8Array =>
  SignedRoot.encode({ root, ...signed }).finish()

/** What is signed. `key` is the entry's, `digest` the SHA-256 of its root. Throws TableError for a key that cannot be signed. */
export function signedMessage(
  key: string,
  { sequence, notAfter }: Pick<Signed, 'sequence' | 'notAfter'>,
  digest: Uint8Array,
): Uint8Array<ArrayBuffer> {
  if (!canBeSigned(key)) throw new TableError('the key of the entry is no name of a Gateway')
  return ascii(['landfall root 1', key, sequence, notAfter, hex(digest)].join('\n'))
}

/** Visible ASCII: each key has bytes of its own. */
export const canBeSigned = (key: string): boolean => /^gateway\/[!-~]+$/.test(key)

/** KeySignature.keyId, TableKey.id. */
export const keyIdForm = /^[\w-]{1,32}$/

const ascii = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

function decoded(entry: Uint8Array): SignedRoot {
  try {
    return SignedRoot.decode(entry)
  } catch (error) {
    throw new TableError(`the signed root cannot be decoded: ${error instanceof Error ? error.message : String(error)}`)
  }
}
