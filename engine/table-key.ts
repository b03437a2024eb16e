import { base64url, fromBase64url } from './base64url.ts'
import { keyIdForm } from './signed-root.ts'

/** A public key of Ed25519 that readers of tables pin. */
export interface TableKey {
  /** Signature.key_id. */
  readonly id: string
  /** 32 bytes. RFC 8032 section 5.1.5. */
  readonly publicKey: Uint8Array<ArrayBuffer>
}

/** What is written wrong most often, and what would be right. */
export const tableKeyForm = '<key id>:<public key>, as `landfall keys public` prints it'

/** "id:base64url". */
export const formatTableKey = ({ id, publicKey }: TableKey): string => `${id}:${base64url(publicKey)}`

/** undefined for what formatTableKey does not write. */
export function readTableKey(text: string): TableKey | undefined {
  const [id = '', digits = '', ...more] = text.trim().split(':')
  if (!keyIdForm.test(id) || more.length > 0 || !/^[A-Za-z0-9_-]{43}$/.test(digits)) return undefined
  const publicKey = fromBase64url(digits)
  // The last digit has two bits that say nothing.
  return base64url(publicKey) === digits ? { id, publicKey } : undefined
}
