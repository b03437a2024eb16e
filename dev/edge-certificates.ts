import { Protocol, Root } from '../proto/gen/route_table.ts'
import type { Feed, KeyPair } from '../standalone/feed.ts'
import { selfSigned } from './self-signed.ts'

/** Cloudflare shows certificates of its own for HTTPS listeners that name none; here they get some that are self-signed. */
export class EdgeCertificates {
  readonly #now: () => number
  /** By the name of the key pair. */
  #pairs: ReadonlyMap<string, KeyPair> = new Map()

  /** Milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** `feed` with certificates for the listeners of the Gateways of which `isEdge` says that Cloudflare is to serve them. */
  equip(feed: Feed, isEdge: (gateway: string) => boolean): Feed {
    const pairs = new Map<string, KeyPair>()
    const roots = feed.roots.map((bytes) => {
      const root = Root.decode(bytes)
      if (!isEdge(root.gateway)) return bytes
      const listeners = root.listeners.map((listener) => {
        const { hostname, protocol, tls } = listener
        if (protocol !== Protocol.HTTPS || tls === undefined || tls.certificates.length > 0) return listener
        const name = nameFor(hostname)
        const pair = this.#pairs.get(name) ?? pairs.get(name) ?? selfSigned(hostname || anyHost, this.#now())
        pairs.set(name, pair)
        return { ...listener, tls: { ...tls, certificates: [name] } }
      })
      return Root.encode({ ...root, listeners }).finish()
    })
    this.#pairs = pairs
    return { ...feed, roots, keyPairs: new Map([...feed.keyPairs, ...pairs]) }
  }
}

/** For a listener of every host, a name that curl on this machine would ask for. */
const anyHost = 'localhost'

/** No Secret has such a name: there is no dot in a namespace's. */
const nameFor = (hostname: string): string => `landfall.dev/self-signed ${hostname}`
