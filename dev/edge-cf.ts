import { X509Certificate } from 'node:crypto'
import { hostPort } from '../engine/host-port.ts'
import type { ClientRequest, PeerTls } from '../standalone/handler.ts'

/** What a Worker finds in request.cf of the client's connection, as far as it can be known here. Types and values are those of
 *  developers.cloudflare.com, "Request: IncomingRequestCfProperties". */
export function cfOf({ version, peer }: Pick<ClientRequest, 'version' | 'peer'>, now: number): object {
  const { tls, address, port } = peer
  return {
    // Cloudflare tells it in a header only; a workerd without an edge in front has it here.
    clientIp: hostPort(address, port),
    httpProtocol: version,
    clientTcpRtt: 0,
    ...(tls !== undefined && { tlsVersion: tls.version, tlsCipher: cipherName(tls.cipher) }),
    tlsClientAuth: clientAuth(tls?.certificate, now),
  }
}

/** Cloudflare writes the suites of TLS 1.3 as early drafts had them. */
const cipherName = (name: string): string =>
  name.startsWith('TLS_') ? `AEAD-${name.slice(4).replace('AES_', 'AES').replaceAll('_', '-')}` : name

const noCertificate = {
  certPresented: '0',
  certVerified: 'NONE',
  certRevoked: '0',
  certIssuerDN: '',
  certSubjectDN: '',
  certIssuerDNRFC2253: '',
  certSubjectDNRFC2253: '',
  certIssuerDNLegacy: '',
  certSubjectDNLegacy: '',
  certSerial: '',
  certIssuerSerial: '',
  certSKI: '',
  certIssuerSKI: '',
  certFingerprintSHA1: '',
  certFingerprintSHA256: '',
  certNotBefore: '',
  certNotAfter: '',
  certRFC9440: '',
  certRFC9440TooLarge: false,
  certChainRFC9440: '',
  certChainRFC9440TooLarge: false,
}

/** Bytes of a certificate that Workers are shown whole. */
const largest = 10_240

/** What follows from the certificate alone; of the issuer's own, the connection tells nothing here. */
function clientAuth(shown: PeerTls['certificate'], now: number): typeof noCertificate {
  if (shown === undefined) return noCertificate
  const certificate = new X509Certificate(shown.der)
  const isTooLarge = shown.der.length > largest
  return {
    ...noCertificate,
    certPresented: '1',
    certVerified: shown.verified ? 'SUCCESS' : fault(certificate, now),
    ...names('certIssuerDN', certificate.issuer),
    ...names('certSubjectDN', certificate.subject),
    certSerial: certificate.serialNumber,
    certFingerprintSHA1: certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    certFingerprintSHA256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    certNotBefore: certificate.validFrom,
    certNotAfter: certificate.validTo,
    certRFC9440: isTooLarge ? '' : `:${shown.der.toString('base64')}:`,
    certRFC9440TooLarge: isTooLarge,
  }
}

function fault(certificate: X509Certificate, now: number): string {
  if (now > certificate.validToDate.getTime()) return 'FAILED:certificate has expired'
  if (now < certificate.validFromDate.getTime()) return 'FAILED:certificate is not yet valid'
  return certificate.checkIssued(certificate)
    ? 'FAILED:self signed certificate'
    : 'FAILED:unable to verify the first certificate'
}

/** A distinguished name in the three forms. Node.js has an attribute a line, the outermost first. */
function names(field: string, lines: string): Readonly<Record<string, string>> {
  const attributes = lines.split('\n')
  const inwards = attributes.toReversed()
  return {
    [field]: inwards.join(', '),
    [`${field}RFC2253`]: inwards.join(','),
    [`${field}Legacy`]: attributes.map((attribute) => `/${attribute}`).join(''),
  }
}
