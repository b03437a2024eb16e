import { formatToken, tokenLifetime, tokenPayload } from '../engine/origin-token.ts'
import { endpointKey } from '../engine/origin-token-address.ts'
import { AppProtocol, type Endpoint } from '../proto/gen/route_table.ts'

/** How long a token is used before the next one is signed, in milliseconds. */
const usedFor = 20_000
/** Endpoints whose tokens are kept. */
const maxTokens = 10_000

/** Signed names of endpoints for the connector. Signing takes a turn of the event loop, so each token serves for a while. */
export class ConnectorTokens {
  readonly #keyId: string
  readonly #secret: string
  readonly #now: () => number
  #key: Promise<CryptoKey> | undefined
  readonly #tokens = new Map<string, { readonly token: string; readonly until: number }>()

  /** `key` is `<key id>:<secret>`, as the connector has it. */
  constructor(key: string, now: () => number) {
    const colon = key.indexOf(':')
    this.#keyId = key.slice(0, Math.max(colon, 0))
    this.#secret = key.slice(colon + 1)
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
      keyId: this.#keyId,
      protocol: protocol === AppProtocol.H2C ? 'h2c' : 'http1',
      endpoint,
      expires: Math.floor(now / 1000) + tokenLifetime,
    })
    const encoder = new TextEncoder()
    this.#key ??= crypto.subtle.importKey('raw', encoder.encode(this.#secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    const mac = await crypto.subtle.sign('HMAC', await this.#key, encoder.encode(payload))
    const token = formatToken(payload, new Uint8Array(mac))
    if (this.#tokens.size >= maxTokens) this.#tokens.clear()
    this.#tokens.set(name, { token, until: now + usedFor })
    return token
  }
}
