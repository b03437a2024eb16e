import type { KeyPair } from '../feed.ts'
import { createHttp1Client } from '../http1-client/http1-client.ts'
import type { Http1ClientLimits } from '../http1-client/limits.ts'
import { createHttp2Client } from '../http2-client/http2-client.ts'
import { createConnect } from '../origin-socket/origin-socket.ts'
import type { OriginClients } from '../origins.ts'

/** Certificates that origins are shown at the same time, one a Gateway. */
const kept = 256

/** The clients of a connector: connections that show an origin different certificates are not shared. */
export class ConnectorClients {
  readonly #keyPair: (name: string) => KeyPair | undefined
  readonly #http1: Partial<Http1ClientLimits>
  /** By the certificate's name, the longest unused first. */
  readonly #clients = new Map<string, OriginClients>()

  constructor(keyPair: (name: string) => KeyPair | undefined, http1: Partial<Http1ClientLimits>) {
    this.#keyPair = keyPair
    this.#http1 = http1
  }

  /** Those that show `certificate`, as Settings.client_certificate; "": none. */
  of(certificate: string): OriginClients {
    const clients = this.#clients.get(certificate) ?? this.#create(certificate)
    this.#clients.delete(certificate)
    this.#clients.set(certificate, clients)
    for (const [longestUnused, { http1, http2 }] of this.#clients) {
      if (this.#clients.size <= kept) break
      this.#clients.delete(longestUnused)
      http1.close()
      http2.close()
    }
    return clients
  }

  /** Closes idle connections; exchanges under way go on. */
  close(): void {
    for (const { http1, http2 } of this.#clients.values()) {
      http1.close()
      http2.close()
    }
  }

  #create(certificate: string): OriginClients {
    const connect = createConnect(() => (certificate === '' ? undefined : this.#keyPair(certificate)))
    return { http1: createHttp1Client({ connect, limits: this.#http1 }), http2: createHttp2Client({ connect }) }
  }
}
