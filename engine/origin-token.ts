import { base64url } from './base64url.ts'
import { parseEndpointKey } from './origin-token-address.ts'

// What the Worker tells the connector, in headers of the request that it sends on:
//
//   landfall-origin: lf1/<key id>/<protocol>/<expires>/<endpoint>/<mac>
//   landfall-host: shop.example.com:8443
//   landfall-timeout: 2500
//
// <mac> is HMAC-SHA-256 in base64url (RFC 4648 section 5, without padding) over the ASCII text before it, the last slash
// left out. So a token opens one endpoint, for one protocol, for a short while; for which request, it does not say. Behind a
// <protocol> within TLS stand a dot and the name of a BackendTLSPolicy: engine/origin-token-tls.ts.

/** The endpoint to forward to, and the proof that Landfall chose it: formatToken. */
export const originHeader = 'landfall-origin'
/** The authority to send upstream, byte for byte. */
export const hostHeader = 'landfall-host'
/** Milliseconds that the origin has until the last byte of its response; without it there is no such limit. */
export const timeoutHeader = 'landfall-timeout'
/** On a response that the connector made itself: an OriginError. An origin cannot send it. */
export const errorHeader = 'landfall-error'
/** Headers that begin so are Landfall's own: no client's and no origin's passes the connector. */
export const internalPrefix = 'landfall-'

/** Seconds. The furthest expiry that a signer may choose; a connector believes none beyond it. */
export const tokenLifetime = 60
/** Seconds that the clocks of signer and connector may differ, either way. */
export const clockSkew = 30

export type OriginProtocol = 'http1' | 'http2'

/** Why the connector itself answers. */
export type OriginError =
  /** No token, or one that is forged, expired, or for an endpoint or a policy that is not in the table. */
  | 'refused'
  /** The request that reached the connector is not one that it would send on. */
  | 'bad-request'
  /** As many requests are under way to the endpoint as may be; nothing was sent. */
  | 'overloaded'
  /** Nothing was sent: refused, unreachable or too slow to connect. */
  | 'connect-failed'
  /** The endpoint's certificate is not what the policy asks for, or TLS failed otherwise; nothing was sent. */
  | 'tls-failed'
  /** The origin closed before its response. */
  | 'connection-lost'
  /** What the origin sent is no HTTP response that can be passed on. */
  | 'invalid-response'
  /** The origin was silent for too long, or landfall-timeout ran out. */
  | 'timeout'

export interface OriginToken {
  /** Which secret signs: a name of 1 to 32 letters, digits, "-" and "_", so that a new one can overlap an old one. */
  readonly keyId: string
  readonly protocol: OriginProtocol
  /** As tlsName writes it; "": in the clear. */
  readonly tls: string
  /** As endpointKey writes it. */
  readonly endpoint: string
  /** Seconds since the epoch. */
  readonly expires: number
}

/** The text to sign. */
export const tokenPayload = (token: OriginToken): string =>
  `lf1/${token.keyId}/${token.protocol}${token.tls === '' ? '' : `.${token.tls}`}/${token.expires}/${token.endpoint}`

/** Value of the landfall-origin header; `mac` has the 32 bytes of HMAC-SHA-256 over `payload`. */
export const formatToken = (payload: string, mac: Uint8Array): string => `${payload}/${base64url(mac)}`

export interface ParsedToken {
  readonly token: OriginToken
  readonly payload: string
  /** In base64url. Compare it as text: decoded, several texts are equal. */
  readonly mac: string
}

/** Undefined for what formatToken does not write. Says nothing of the signature or the expiry. */
export function parseToken(text: string): ParsedToken | undefined {
  const [, payload, keyId, protocol, tls = '', expires, endpoint, mac] = tokenForm.exec(text) ?? []
  if (payload === undefined || keyId === undefined || mac === undefined || endpoint === undefined) return undefined
  if (protocol !== 'http1' && protocol !== 'http2') return undefined
  if (parseEndpointKey(endpoint) === undefined) return undefined
  return { token: { keyId, protocol, tls, endpoint, expires: Number(expires) }, payload, mac }
}

const tokenForm =
  /^(lf1\/([\w-]{1,32})\/([a-z0-9]{1,8})(?:\.([\w-]{22}))?\/([1-9][0-9]{0,11})\/([0-9a-f.:[\]]{1,47}))\/([A-Za-z0-9_-]{43})$/

/** Whether a token may be used at `now`, in seconds since the epoch. */
export const isCurrent = (token: OriginToken, now: number): boolean =>
  now < token.expires + clockSkew && now >= token.expires - tokenLifetime - clockSkew
