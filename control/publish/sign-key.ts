import type { webcrypto } from 'node:crypto'
import { formatTableKey, type TableKey } from '../../engine/table-key.ts'

/** Vouches for roots. */
export interface Signer {
  /** KeySignature.keyId. */
  readonly keyId: string
  /** The 64 bytes of Ed25519. */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
  /** Whether a signature is this key's. */
  verify(message: Uint8Array<ArrayBuffer>, signature: Uint8Array): Promise<boolean>
}

/** The text is no private key. Never holds any of it. */
export class SignKeyError extends Error {
  override readonly name = 'SignKeyError'
}

/** A private key of Ed25519 (RFC 8410) as `landfall keys generate` or `openssl genpkey -algorithm ed25519` writes it: PKCS #8
 *  in PEM. Rejects with a SignKeyError. */
export async function signerOf(pem: string): Promise<Signer> {
  const { privateKey, publicKey, id } = await readPair(pem)
  return {
    keyId: id,
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, message)),
    verify: (message, signature) => crypto.subtle.verify('Ed25519', publicKey, new Uint8Array(signature), message),
  }
}

/** What readers pin of a private key: "id:base64url". Rejects with a SignKeyError. */
export async function tableKeyOf(pem: string): Promise<string> {
  const { id, publicBytes } = await readPair(pem)
  return formatTableKey({ id, publicKey: publicBytes })
}

interface Pair {
  readonly privateKey: webcrypto.CryptoKey
  readonly publicKey: webcrypto.CryptoKey
  readonly publicBytes: TableKey['publicKey']
  readonly id: string
}

async function readPair(pem: string): Promise<Pair> {
  const pkcs8 = /-----BEGIN PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END PRIVATE KEY-----/.exec(pem)?.[1]
  if (pkcs8 === undefined) throw new SignKeyError('there is no "BEGIN PRIVATE KEY" (PKCS #8 in PEM, not encrypted)')
  const privateKey = await crypto.subtle
    .importKey('pkcs8', Buffer.from(pkcs8, 'base64'), 'Ed25519', true, ['sign'])
    .catch(() => {
      throw new SignKeyError('the private key is none of Ed25519')
    })
  const { x = '' } = await crypto.subtle.exportKey('jwk', privateKey)
  const publicBytes = new Uint8Array(Buffer.from(x, 'base64url'))
  const publicKey = await crypto.subtle.importKey('raw', publicBytes, 'Ed25519', true, ['verify'])
  const digest = await crypto.subtle.digest('SHA-256', publicBytes)
  // Of its own bytes, so that nobody has to keep a name beside a key.
  return { privateKey, publicKey, publicBytes, id: Buffer.from(digest, 0, 6).toString('hex') }
}
