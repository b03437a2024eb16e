import type { ConnectorKey } from '../engine/connector-key.ts'
import { formatToken, tokenLifetime, tokenPayload } from '../engine/origin-token.ts'
import { endpointKey } from '../engine/origin-token-address.ts'
import { tlsIdentity, tlsName } from '../engine/origin-token-tls.ts'
import { AppProtocol, type Backend, type Endpoint } from '../proto/gen/route_table.ts'

/** How long a token is used before the next one is signed, in milliseconds. */
const usedFor = 20_000

const hmac = { name: 'HMAC', hash: 'SHA-256' }

interface Token {
  readonly text: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** Signed names of endpoints for the connector. Signing takes a turn of the event loop, so each token serves for a while. */
export class ConnectorTokens {
  readonly #key: ConnectorKey
  #imported: Promise<CryptoKey> | undefined
  /** An Endpoint belongs to one Backend of one table, so there is one way to speak to it. */
  readonly #tokens = new WeakMap<Endpoint, Token>()

  constructor(key: ConnectorKey) {
    this.#key = key
  }

  /** For an endpoint of `backend`; undefined for what is none. `clientCertificate` as Settings.client_certificate, `now` in
   *  milliseconds since the epoch. */
  get(
    endpoint: Endpoint,
    backend: Pick<Backend, 'protocol' | 'tls'>,
    clientCertificate: string,
    now: number,
  ): string | Promise<string> | undefined {
    const kept = this.#tokens.get(endpoint)
    if (kept !== undefined && now < kept.until) return kept.text
    const key = endpointKey(endpoint)
    return key === undefined ? undefined : this.#sign(endpoint, key, backend, clientCertificate, now)
  }

  async #sign(
    endpoint: Endpoint,
    key: string,
    { protocol, tls }: Pick<Backend, 'protocol' | 'tls'>,
    clientCertificate: string,
    now: number,
  ): Promise<string> {
    const payload = tokenPayload({
      keyId: this.#key.id,
      protocol: protocol === AppProtocol.H2C ? 'http2' : 'http1',
      tls: tls === undefined ? '' : await nameOf(tlsIdentity(tls, clientCertificate)),
      endpoint: key,
      expires: Math.floor(now / 1000) + tokenLifetime,
    })
    const encoder = new TextEncoder()
    this.#imported ??= crypto.subtle.importKey('raw', encoder.encode(this.#key.secret), hmac, false, ['sign'])
    const mac = await crypto.subtle.sign('HMAC', await this.#imported, encoder.encode(payload))
    const text = formatToken(payload, new Uint8Array(mac))
    this.#tokens.set(endpoint, { text, until: now + usedFor })
    return text
  }
}

const nameOf = async (identity: Uint8Array): Promise<string> =>
  tlsName(new Uint8Array(await crypto.subtle.digest('SHA-256', identity)))
