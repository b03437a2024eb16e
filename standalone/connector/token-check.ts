import { createHmac, timingSafeEqual } from 'node:crypto'
import { isCurrent, type OriginToken, parseToken } from '../../engine/origin-token.ts'

/** HMAC secrets by key id. */
export type OriginKeys = ReadonlyMap<string, Uint8Array>

/** The token that a landfall-origin header proves, if it does. */
export type TokenCheck = (header: string) => OriginToken | undefined

/** Remembers the last `capacity` tokens that were proven, so that a request costs a look-up. A secret that is no longer in
 *  `keys`, told by identity, ends what it had proven. `now` in milliseconds since the epoch. */
export function createTokenCheck(keys: () => OriginKeys, now: () => number, capacity = 8192): TokenCheck {
  const proven = new Map<string, { readonly token: OriginToken; readonly secret: Uint8Array }>()

  function prove(header: string) {
    const parsed = parseToken(header)
    const secret = parsed && keys().get(parsed.token.keyId)
    if (parsed === undefined || secret === undefined) return undefined
    const mac = createHmac('sha256', secret).update(parsed.payload).digest('base64url')
    return timingSafeEqual(Buffer.from(mac), Buffer.from(parsed.mac)) ? { token: parsed.token, secret } : undefined
  }

  return (header) => {
    const known = proven.get(header)
    const entry = known && keys().get(known.token.keyId) === known.secret ? known : prove(header)
    proven.delete(header)
    if (entry === undefined || !isCurrent(entry.token, now() / 1000)) return undefined
    if (proven.size >= capacity) for (const oldest of proven.keys()) if (proven.delete(oldest)) break
    proven.set(header, entry)
    return entry.token
  }
}
