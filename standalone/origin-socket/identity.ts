import type { X509Certificate } from 'node:crypto'
import { type BackendTls, type SubjectAltName, SubjectAltName_Kind } from '../../proto/gen/route_table.ts'

/** Why a certificate is not the one of a backend; undefined when it is. Whether someone vouches for it is another question.
 *  BackendTLSPolicySpec.validation: names in subjectAltNames take the place of `hostname`. */
export function identityFault(certificate: X509Certificate, tls: BackendTls): string | undefined {
  const { hostname, subjectAltNames } = tls
  if (subjectAltNames.length === 0) {
    return namesHost(certificate, hostname) ? undefined : `the certificate is not for ${hostname}`
  }
  if (subjectAltNames.some((name) => names(certificate, name))) return undefined
  return `the certificate is for none of ${subjectAltNames.map(({ value }) => value).join(', ')}`
}

function names(certificate: X509Certificate, { kind, value }: SubjectAltName): boolean {
  if (kind === SubjectAltName_Kind.HOSTNAME) return namesHost(certificate, value)
  return kind === SubjectAltName_Kind.URI && uris(certificate.raw).includes(value)
}

/** RFC 9525 section 6: no common name, and a wildcard is the whole of the first label. */
const dnsNames = { subject: 'never', partialWildcards: false } as const

function namesHost(certificate: X509Certificate, hostname: string): boolean {
  // OpenSSL takes "" for any name, and what begins with a dot for any name below.
  return /^[a-z0-9*]/i.test(hostname) && certificate.checkHost(hostname, dnsNames) !== undefined
}

/** Tags of X.509. RFC 5280 sections 4.1 and 4.2.1.6. */
const Tag = { extensions: 0xa3, uniformResourceIdentifier: 0x86 } as const
/** 2.5.29.17 */
const subjectAltName = Buffer.from([0x55, 0x1d, 0x11])

/** Subject alternative names of kind URI. From the encoding, because the text that Node.js makes of them is for people: names
 *  with commas and quotes in them look like others (CVE-2021-44532). */
function uris(certificate: Buffer): string[] {
  const [signed] = within(elements(certificate)[0])
  const [extensions] = within(within(signed).find(({ tag }) => tag === Tag.extensions))
  const found = within(extensions).map(within)
  const octets = found.find(([id]) => id?.content.equals(subjectAltName))?.at(-1)
  return within(within(octets)[0])
    .filter(({ tag }) => tag === Tag.uniformResourceIdentifier)
    .map(({ content }) => content.toString('latin1'))
}

interface Element {
  readonly tag: number
  readonly content: Buffer
}

const within = (element: Element | undefined): Element[] => (element === undefined ? [] : elements(element.content))

/** The elements that stand one behind the other in DER, up to one that is not whole. X.690 sections 8.1 and 10.1. */
function elements(der: Buffer): Element[] {
  const found: Element[] = []
  let at = 0
  while (at + 2 <= der.length) {
    const tag = der.readUInt8(at)
    let length = der.readUInt8(at + 1)
    at += 2
    if (length >= 0x80) {
      const octets = length - 0x80
      if (octets === 0 || octets > 4 || at + octets > der.length) break
      length = der.readUIntBE(at, octets)
      at += octets
    }
    if (at + length > der.length) break
    found.push({ tag, content: der.subarray(at, at + length) })
    at += length
  }
  return found
}
