import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { wider } from '../engine/hosts.ts'
import { isSamePair, type KeyPair } from './feed.ts'
import type { Log } from './log.ts'

/** The key pairs that clients may be shown, and which of them a client is. */
export class Certificates {
  readonly #log: Log
  #pairs: ReadonlyMap<string, KeyPair> = new Map()
  /** What is known of those that were asked for; undefined of those that cannot be used. */
  readonly #certificates = new WeakMap<KeyPair, Certificate | undefined>()

  #lastId = 0

  constructor(log: Log) {
    this.#log = log
  }

  /** By "namespace/name". A pair that is as before stays the same object. */
  set(pairs: ReadonlyMap<string, KeyPair>): void {
    const before = this.#pairs
    this.#pairs = new Map(
      [...pairs].map(([name, pair]) => {
        const last = before.get(name)
        return [name, last !== undefined && isSamePair(last, pair) ? last : pair]
      }),
    )
  }

  /**
   * Of the key pairs with these names those to show to a client that wants `serverName`: at most one of each type of key,
   * of which the client's signature algorithms choose. When no certificate names the host, the first serves. Empty when
   * none can be used. ListenerTLSConfig.certificateRefs.
   */
  choose(names: readonly string[], serverName: string): readonly Certificate[] {
    const usable = names.flatMap((name) => this.#certificate(name) ?? [])
    const wildcard = wider(serverName)
    const naming = [serverName, wildcard].flatMap((host) => usable.filter(({ hosts }) => hosts.has(host)))
    const byKeyType = new Map<string, Certificate>()
    for (const each of naming) if (!byKeyType.has(each.keyType)) byKeyType.set(each.keyType, each)
    return byKeyType.size > 0 ? [...byKeyType.values()] : usable.slice(0, 1)
  }

  #certificate(name: string): Certificate | undefined {
    const pair = this.#pairs.get(name)
    if (pair === undefined || this.#certificates.has(pair)) return pair && this.#certificates.get(pair)
    let certificate: Certificate | undefined
    try {
      certificate = readCertificate(pair, ++this.#lastId)
    } catch (error) {
      this.#log('certificate cannot be used', { name, error: error instanceof Error ? error.message : String(error) })
    }
    this.#certificates.set(pair, certificate)
    return certificate
  }
}

/** A key pair that can be used. */
export interface Certificate {
  /** Of no other, not even of one that replaces it. */
  readonly id: number
  readonly pair: KeyPair
  /** As KeyObject.asymmetricKeyType. */
  readonly keyType: string
  /** In lower case; "*.example.com" stands for one label before ".example.com". RFC 9525 section 6.3. */
  readonly hosts: ReadonlySet<string>
}

/** Throws when the two are no pair, or nothing that OpenSSL would serve. */
function readCertificate(pair: KeyPair, id: number): Certificate {
  const { subjectAltName = '', publicKey } = new X509Certificate(pair.certificate)
  // A context takes an empty key for none.
  createPrivateKey(pair.privateKey)
  createSecureContext({ cert: pair.certificate, key: pair.privateKey, ca: [] })
  const hosts = [...subjectAltName.matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name = '']) => name.toLowerCase())
  return { id, pair, keyType: publicKey.asymmetricKeyType ?? '', hosts: new Set(hosts) }
}
