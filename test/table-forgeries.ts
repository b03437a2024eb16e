import { generateKeyPairSync, hash } from 'node:crypto'
import { type Signer, signerOf, tableKeyOf } from '../control/publish/sign-key.ts'
import { joinEntry, type Signed, signedMessage, splitEntry } from '../engine/signed-root.ts'
import { Root } from '../proto/gen/route_table.ts'

export interface SigningKey {
  /** PKCS #8 in PEM. */
  readonly pem: string
  /** What readers pin. */
  readonly pinned: string
  readonly signer: Signer
}

export async function signingKey(): Promise<SigningKey> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { pem, pinned: await tableKeyOf(pem), signer: await signerOf(pem) }
}

/** What somebody has who may read and write the store, and has done so for a while. */
export interface Loot {
  /** The key of the entries. */
  readonly key: string
  /** What is served: an entry that a pinned key has signed. */
  readonly current: Uint8Array
  /** The table before that, signed by the same key. */
  readonly older: Uint8Array
  /** A table of another Gateway, signed by the same key. */
  readonly other: Uint8Array
  /** A key of their own. */
  readonly own: Signer
}

/** Something to put in the place of `current`. */
export interface Forgery {
  readonly name: string
  /** What a reader says of it. */
  readonly why: string
  forge(loot: Loot): Promise<Uint8Array>
}

export const forgeries: readonly Forgery[] = [
  {
    name: 'forged: another table under the signature of this one',
    why: 'is wrong',
    forge: async ({ current }) => joinEntry(evil(current), signatureOf(current)),
  },
  {
    name: 'signed by a key that nobody pins',
    why: 'that key is not pinned',
    forge: ({ key, current, own }) => resigned(key, evil(current), signatureOf(current), own, own.keyId),
  },
  {
    name: 'signed by another key under the name of a pinned one',
    why: 'is wrong',
    forge: ({ key, current, own }) => resigned(key, evil(current), signatureOf(current), own, keyIdOf(current)),
  },
  {
    name: 'signed by the pinned key, for another Gateway',
    why: 'is wrong',
    forge: async ({ other }) => other,
  },
  {
    name: 'replayed: the table before this one',
    why: 'was seen already',
    forge: async ({ older }) => older,
  },
  {
    name: 'replayed: the table before this one with a higher sequence',
    why: 'is wrong',
    forge: async ({ older, current }) => {
      const { root } = splitEntry(older)
      return joinEntry(root, { ...signatureOf(older), sequence: signatureOf(current).sequence + 1 })
    },
  },
  {
    name: 'with a longer validity than was signed',
    why: 'is wrong',
    forge: async ({ current }) => {
      const { root } = splitEntry(current)
      return joinEntry(root, { ...signatureOf(current), notAfter: signatureOf(current).notAfter + 86_400 })
    },
  },
  {
    name: 'downgraded: the very table, unsigned',
    why: 'the root is not signed',
    forge: async ({ current }) => splitEntry(current).root,
  },
  {
    name: 'downgraded: another table, unsigned',
    why: 'the root is not signed',
    forge: async ({ current }) => evil(current),
  },
  {
    name: 'with its signature taken off',
    why: 'signed by nobody',
    forge: async ({ current }) => joinEntry(splitEntry(current).root, { ...signatureOf(current), signatures: [] }),
  },
  {
    name: 'truncated',
    why: 'the signed root cannot be decoded',
    forge: async ({ current }) => current.subarray(0, current.length - 10),
  },
  {
    name: 'truncated to nothing',
    why: 'the root is not signed',
    forge: async () => new Uint8Array(),
  },
]

/** The root of a table with nothing to serve, as an attacker would have it. */
function evil(entry: Uint8Array): Uint8Array {
  const root = Root.decode(splitEntry(entry).root)
  return Root.encode({ ...root, version: 'evil', hostShards: [] }).finish()
}

async function resigned(key: string, root: Uint8Array, like: Signed, by: Signer, keyId: string): Promise<Uint8Array> {
  const sequence = like.sequence + 1
  const { notAfter } = like
  const signature = await by.sign(signedMessage(key, { sequence, notAfter }, hash('sha256', root, 'buffer')))
  return joinEntry(root, { sequence, notAfter, signatures: [{ keyId, signature }] })
}

/** What only the owner of the key can make: `entry` as it would be if it had been signed with these. */
export async function signedAgain(
  key: string,
  entry: Uint8Array,
  { signer }: SigningKey,
  { sequence, notAfter }: Pick<Signed, 'sequence' | 'notAfter'>,
): Promise<Uint8Array> {
  const { root } = splitEntry(entry)
  return resigned(key, root, { sequence: sequence - 1, notAfter, signatures: [] }, signer, signer.keyId)
}

export function signatureOf(entry: Uint8Array): Signed {
  const { signed } = splitEntry(entry)
  if (signed === undefined) throw new Error('the entry is not signed')
  return signed
}

const keyIdOf = (entry: Uint8Array): string => signatureOf(entry).signatures[0]?.keyId ?? ''
