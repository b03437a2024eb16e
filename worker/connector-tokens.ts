import type { ConnectorKey } from '../engine/connector-key.ts'
import { formatToken, tokenLifetime, tokenPayload } from '../engine/origin-token.ts'
import { endpointKey } from '../engine/origin-token-address.ts'
import { AppProtocol, type Endpoint } from '../proto/gen/route_table.ts'

/** How long a token is used before the next one is signed, in milliseconds. */
const usedFor = 20_000
/** Endpoints whose tokens are kept. */
const maxTokens = 10_000

const hmac = { name: 'HMAC', hash: 'SHA-256' }

/** Signed names of endpoints for the connector. Signing takes a turn of the event loop, so each token serves for a while. */
export class ConnectorTokens {
  readonly #key: ConnectorKey
  readonly #now: () => number
  #imported: Promise<CryptoKey> | undefined
  readonly #tokens = new Map<string, { readonly token: string; readonly until: number }>()

  constructor(key: ConnectorKey, now: () => number) {
    this.#key = key
    this.#now = now
  }

  /** undefined for what is no endpoint. */
  get(endpoint: Endpoint, protocol: AppProtocol): string | Promise<string> | undefined {
    const now = this.#now()
    const name = `${endpoint.address} ${endpoint.port} ${protocol}`
    const kept = this.#tokens.get(name)
    if (kept !== undefined && now < kept.until) return kept.token
    const key = endpointKey(endpoint)
    return key === undefined ? undefined : this.#sign(name, key, protocol, now)
  }

  async #sign(name: string, endpoint: string, protocol: AppProtocol, now: number): Promise<string> {
    const payload = tokenPayload({
      keyId: this.#key.id,
      protocol: protocol === AppProtocol.H2C ? 'h2c' : 'http1',
      endpoint,
      expires: Math.floor(now / 1000) + tokenLifetime,
    })
    const encoder = new TextEncoder()
    this.#imported ??= crypto.subtle.importKey('raw', encoder.encode(this.#key.secret), hmac, false, ['sign'])
    const mac = await crypto.subtle.sign('HMAC', await this.#imported, encoder.encode(payload))
    const token = formatToken(payload, new Uint8Array(mac))
    if (this.#tokens.size >= maxTokens) this.#tokens.clear()
    this.#tokens.set(name, { token, until: now + usedFor })
    return token
  }
}
