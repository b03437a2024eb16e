import { Buffer } from 'node:buffer'
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { ConfigMap } from '../../kube/core/config-map.ts'
import type { Secret } from '../../kube/core/secret.ts'
import type { FieldPath } from '../../kube/rule.ts'

/** What is wrong with a Secret or ConfigMap, as the end of a sentence that begins with the object's name. */
export interface CertificateFault {
  readonly path: FieldPath
  readonly message: string
}

const begin = '-----BEGIN CERTIFICATE-----'
const end = '-----END CERTIFICATE-----'

/** Bound on one bundle: every handshake reads all of it. */
const maxCertificates = 256

/** PEM blocks of certificates, RFC 7468 section 5. Other blocks and text between them are passed over. */
function blocks(pem: string): readonly string[] {
  const found: string[] = []
  let start = pem.indexOf(begin)
  while (start !== -1) {
    const stop = pem.indexOf(end, start)
    if (stop === -1) break
    found.push(pem.slice(start, stop + end.length))
    start = pem.indexOf(begin, stop)
  }
  return found
}

/** The certificates of a bundle, or what is wrong with it. */
function certificatesOf(pem: string): readonly X509Certificate[] | string {
  const found = blocks(pem)
  if (found.length === 0) return `holds no certificate in PEM; write one, from "${begin}" to "${end}"`
  if (found.length > maxCertificates) return `holds ${found.length} certificates; at most ${maxCertificates} fit`
  const certificates: X509Certificate[] = []
  for (const [index, block] of found.entries()) {
    try {
      certificates.push(new X509Certificate(block))
    } catch {
      return `holds a PEM block that is no X.509 certificate, number ${index + 1} of ${found.length}; write it again`
    }
  }
  return certificates
}

function privateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

const decoded = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString('utf8')

/** A certificate and its private key, as the type kubernetes.io/tls keeps them; undefined when they are good. */
export function keyPairFault({ type, data }: Secret): CertificateFault | undefined {
  if (type !== 'kubernetes.io/tls')
    return { path: ['type'], message: `is of type ${type}; write type: kubernetes.io/tls` }
  const certificates = certificatesOf(decoded(data['tls.crt']))
  if (typeof certificates === 'string') return { path: ['data', 'tls.crt'], message: certificates }
  const key = privateKey(decoded(data['tls.key']))
  if (key === undefined) {
    return { path: ['data', 'tls.key'], message: 'holds no private key in PEM; write the key without a passphrase' }
  }
  if (certificates[0]?.checkPrivateKey(key) !== true) {
    return {
      path: ['data', 'tls.key'],
      message: 'is not the key of the first certificate in tls.crt; put the right two together',
    }
  }
  return undefined
}

/** A certificate with those that lead from it to an authority, and its private key; both in PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly privateKey: string
}

/** What is in a Secret in which keyPairFault finds no fault. */
export const keyPairOf = ({ data }: Secret): KeyPair => ({
  certificate: decoded(data['tls.crt']),
  privateKey: decoded(data['tls.key']),
})

/** A bundle of CA certificates, in the key ca.crt; undefined when it is good. */
export function authorityFault({ data }: ConfigMap): CertificateFault | undefined {
  const pem = data['ca.crt']
  if (pem === undefined) return { path: ['data'], message: 'has no key ca.crt; write the CA certificate there, in PEM' }
  const certificates = certificatesOf(pem)
  return typeof certificates === 'string' ? { path: ['data', 'ca.crt'], message: certificates } : undefined
}

/** The certificates of bundles in which authorityFault finds no fault, in PEM, without the text around them. */
export const authoritiesOf = (bundles: readonly ConfigMap[]): string =>
  bundles
    .flatMap(({ data }) => blocks(data['ca.crt'] ?? ''))
    .map((block) => `${block}\n`)
    .join('')
