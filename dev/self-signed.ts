import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyPair } from '../standalone/feed.ts'

/** How long a certificate is good for, in milliseconds: browsers take none that is good for longer. */
const lifetime = 365 * 86_400_000
/** Clocks differ. */
const earlier = 86_400_000

/** A certificate that nobody vouches for, for one host name, or a wildcard of one. RFC 5280 section 4.1. */
export function selfSigned(hostname: string, now: number): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = distinguishedName('landfall dev')
  const signed = sequence(
    element(0xa0, element(Tag.integer, Buffer.from([2]))),
    // Positive, and as long as may be: section 4.1.2.2.
    element(Tag.integer, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    name,
    sequence(time(now - earlier), time(now + lifetime)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(subjectAltName(hostname))),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', signed, privateKey)])
  const der = sequence(signed, ecdsaWithSha256, element(Tag.bitString, signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** ASN.1 tags, X.690 section 8. */
const Tag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** GeneralName.dNSName, RFC 5280 section 4.2.1.6. */
  dnsName: 0x82,
} as const

function element(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

const sequence = (...parts: readonly Buffer[]): Buffer => element(Tag.sequence, Buffer.concat(parts))

const identifier = (...bytes: readonly number[]): Buffer => element(Tag.objectIdentifier, Buffer.from(bytes))

/** 1.2.840.10045.4.3.2, RFC 5758 section 3.2. */
const ecdsaWithSha256 = sequence(identifier(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))

/** Of a common name only: 2.5.4.3. */
const distinguishedName = (text: string): Buffer =>
  sequence(element(Tag.set, sequence(identifier(0x55, 0x04, 0x03), element(Tag.utf8String, Buffer.from(text, 'utf8')))))

/** 2.5.29.17. */
const subjectAltName = (hostname: string): Buffer =>
  sequence(
    identifier(0x55, 0x1d, 0x11),
    element(Tag.octetString, sequence(element(Tag.dnsName, Buffer.from(hostname, 'latin1')))),
  )

/** RFC 5280 section 4.1.2.5: years from 2050 on have four digits. */
function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return digits < '2050'
    ? element(Tag.utcTime, Buffer.from(`${digits.slice(2)}Z`))
    : element(Tag.generalizedTime, Buffer.from(`${digits}Z`))
}
