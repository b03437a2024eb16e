import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A certificate and its key, in PEM, and what it takes to sign others with it. */
export interface Issued {
  readonly certificate: string
  readonly privateKey: string
  readonly subject: string
  readonly key: KeyObject
}

export interface CertificateRequest {
  /** Common name. */
  readonly subject: string
  /** undefined: self-signed. */
  readonly issuer?: Issued
  readonly isAuthority?: boolean
  /** "DNS:…", "URI:…" or "IP:…" with an IPv4 address; nothing is looked at, so that they may be as odd as a test wants. */
  readonly names?: readonly string[]
  readonly notAfter?: Date
  /** undefined: ECDSA, by P-256. A small key is too small for OpenSSL to serve. */
  readonly keyType?: 'rsa' | 'small rsa'
}

/** Makes certificates without a file or a process. RFC 5280. */
export function issue(request: CertificateRequest): Issued {
  const { publicKey, privateKey } =
    request.keyType === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: request.keyType === 'rsa' ? 2048 : 512 })
  const signer = request.issuer?.key ?? privateKey
  const algorithm = signer.asymmetricKeyType === 'rsa' ? rsaWithSha256 : ecdsaWithSha256
  const { subject, issuer, names = [], isAuthority = false } = request
  const extensions = [
    extension([0x55, 0x1d, 0x13], sequence(isAuthority ? element(0x01, Buffer.from([0xff])) : Buffer.alloc(0))),
    ...(names.length === 0 ? [] : [extension([0x55, 0x1d, 0x11], sequence(...names.map(generalName)))]),
  ]
  const signed = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name(issuer?.subject ?? subject),
    sequence(time(new Date(Date.now() - day)), time(request.notAfter ?? new Date(Date.now() + day))),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', signed, signer)
  const der = sequence(signed, algorithm, element(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    subject,
    key: privateKey,
  }
}

const day = 86_400_000

function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content)]), content])
}

/** In as few bytes as can be: readers of DER take no other. X.690 section 10.1. */
function lengthOf({ length }: Buffer): readonly number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

const sequence = (...parts: readonly Buffer[]): Buffer => element(0x30, Buffer.concat(parts))

/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = sequence(element(0x06, Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])))

/** 1.2.840.113549.1.1.11 */
const rsaWithSha256 = sequence(
  element(0x06, Buffer.from([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b])),
  element(0x05, Buffer.alloc(0)),
)

const extension = (id: readonly number[], value: Buffer): Buffer =>
  sequence(element(0x06, Buffer.from(id)), element(0x04, value))

/** A common name as UTF8String. */
const name = (text: string): Buffer =>
  sequence(element(0x31, sequence(element(0x06, Buffer.from([0x55, 0x04, 0x03])), element(0x0c, Buffer.from(text)))))

/** GeneralizedTime, though RFC 5280 wants UTCTime before 2050: readers take both. */
const time = (at: Date): Buffer => element(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`))

function generalName(text: string): Buffer {
  const value = text.slice(text.indexOf(':') + 1)
  if (text.startsWith('DNS:')) return element(0x82, Buffer.from(value, 'latin1'))
  if (text.startsWith('URI:')) return element(0x86, Buffer.from(value, 'latin1'))
  if (text.startsWith('IP:')) return element(0x87, Buffer.from(value.split('.').map(Number)))
  throw new Error(`no such kind of name: ${text}`)
}
