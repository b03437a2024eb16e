import { AppProtocol, Backend, type BackendTls, Origin } from '../proto/gen/route_table.ts'
import { base64url } from './base64url.ts'

/** What the Worker and the connector each hash by SHA-256 to name a way to speak TLS: all that a BackendTLSPolicy says, and what
 *  origins are shown that ask for a certificate (Settings.client_certificate). */
export const tlsIdentity = (tls: BackendTls, clientCertificate: string): Uint8Array =>
  Backend.encode({
    key: clientCertificate,
    tls,
    protocol: AppProtocol.HTTP1,
    origin: Origin.CONNECTOR,
    originAddress: '',
    endpoints: [],
  }).finish()

/** OriginToken.tls. */
export const tlsName = (sha256: Uint8Array): string => base64url(sha256.subarray(0, 16))
