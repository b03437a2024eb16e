import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'

/** A certificate, with the chain behind it, and its private key, in PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly privateKey: string
}

/** Contexts for TLS to origins. One takes some 15 kB, 2 MB with the system's authorities, and is made in 1 or 30 ms. */
export interface OriginContexts {
  /** For BackendTls.authorities. Throws if the client certificate cannot be used. */
  get(authorities: string): SecureContext
}

const kept = 256

/** `clientCertificate` is asked for each connection: Gateway.spec.tls.backend, which may change. */
export function createOriginContexts(clientCertificate: () => KeyPair | undefined): OriginContexts {
  /** By authorities, the longest unused first; all for the client certificate of `shown`. */
  const contexts = new Map<string, SecureContext>()
  let shown: KeyPair | undefined
  return {
    get: (authorities) => {
      const pair = clientCertificate()
      if (pair?.certificate !== shown?.certificate || pair?.privateKey !== shown?.privateKey) contexts.clear()
      shown = pair
      const context = contexts.get(authorities) ?? createContext(authorities, pair)
      contexts.delete(authorities)
      contexts.set(authorities, context)
      for (const longestUnused of contexts.keys()) {
        if (contexts.size <= kept) break
        contexts.delete(longestUnused)
      }
      return context
    },
  }
}

function createContext(authorities: string, pair: KeyPair | undefined): SecureContext {
  return createSecureContext({
    ca: authorities === '' ? [...systemAuthorities()] : authorities,
    // An intermediate or a server's own certificate in `authorities` is trusted like a root: the policy names it.
    allowPartialTrustChain: true,
    ...(pair !== undefined && { cert: pair.certificate, key: pair.privateKey }),
  })
}

let system: ReadonlySet<string> | undefined

/** BackendTLSPolicyValidation.wellKnownCACertificates System: what whoever runs the process has it trust, by the files of
 *  OpenSSL or SSL_CERT_FILE and SSL_CERT_DIR. An image without such files gets the list that comes with Node.js. */
function systemAuthorities(): ReadonlySet<string> {
  // The files have most of them twice: one by one, and all in one.
  system ??= new Set(getCACertificates('system'))
  return system.size > 0 ? system : new Set(getCACertificates('bundled'))
}
