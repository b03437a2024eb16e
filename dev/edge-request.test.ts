import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ClientRequest, PeerTls } from '../standalone/handler.ts'
import { issue } from '../test/certificates.ts'
import { workerdHead } from './edge-request.ts'

const now = Date.now()

function request(tls: PeerTls | undefined, headers: readonly string[] = []): ClientRequest {
  return {
    version: 'HTTP/2',
    peer: { address: '192.0.2.7', port: 1234, tls },
    scheme: tls === undefined ? 'http' : 'https',
    port: 443,
    method: 'GET',
    target: '/a?b',
    path: '/a',
    query: 'b',
    authority: 'Shop.Example',
    headers,
    hasBody: false,
    upgrade: undefined,
    header: () => undefined,
  }
}

function cfOf(tls: PeerTls | undefined): Record<string, unknown> {
  const { headers } = workerdHead(request(tls), now)
  return JSON.parse(headers[headers.indexOf('landfall-cf') + 1] ?? '')
}

const secured = (certificate: PeerTls['certificate']): PeerTls => ({
  serverName: 'shop.example',
  version: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  certificate,
})

const der = (pem: string): Buffer => new X509Certificate(pem).raw

test('what the edge says replaces what the client wrote, and all else stays', () => {
  const head = workerdHead(
    request(undefined, ['CF-Connecting-IP', '6.6.6.6', 'X-A', '1', 'x-a', '2', 'TE', 'trailers']),
    now,
  )
  expect(head.headers.slice(0, 4)).toEqual(['X-A', '1', 'x-a', '2'])
  expect(head.headers.slice(4, 10)).toEqual([
    ...['CF-Connecting-IP', '192.0.2.7'],
    ...['CF-Visitor', '{"scheme":"http"}'],
    ...['landfall-proto', 'http'],
  ])
  expect(head).toMatchObject({ method: 'GET', target: '/a?b', authority: 'Shop.Example', hasBody: false })
})

test('a connection in the clear has no TLS in cf', () => {
  const cf = cfOf(undefined)
  expect(cf).toMatchObject({
    clientIp: '192.0.2.7:1234',
    httpProtocol: 'HTTP/2',
    tlsClientAuth: { certPresented: '0', certVerified: 'NONE' },
  })
  expect(cf).not.toHaveProperty('tlsVersion')
})

test.for([
  ['TLS_AES_128_GCM_SHA256', 'AEAD-AES128-GCM-SHA256'],
  ['TLS_AES_256_GCM_SHA384', 'AEAD-AES256-GCM-SHA384'],
  ['TLS_CHACHA20_POLY1305_SHA256', 'AEAD-CHACHA20-POLY1305-SHA256'],
  ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
] as const)('%s is %s in cf', ([cipher, name]) => {
  expect(cfOf({ ...secured(undefined), cipher })).toMatchObject({ tlsVersion: 'TLSv1.3', tlsCipher: name })
})

test("a client's certificate is told as Cloudflare tells it", () => {
  const authority = issue({ subject: 'Autorität', isAuthority: true })
  const { certificate } = issue({ subject: 'client', issuer: authority })
  const x509 = new X509Certificate(certificate)
  expect(cfOf(secured({ der: der(certificate), verified: true })).tlsClientAuth).toMatchObject({
    certPresented: '1',
    certVerified: 'SUCCESS',
    certRevoked: '0',
    certSubjectDN: 'CN=client',
    certSubjectDNRFC2253: 'CN=client',
    certSubjectDNLegacy: '/CN=client',
    certIssuerDN: 'CN=Autorität',
    certSerial: x509.serialNumber,
    certFingerprintSHA256: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
    certNotAfter: expect.stringMatching(/^[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d \d{4} GMT$/),
    certRFC9440: `:${x509.raw.toString('base64')}:`,
  })
})

test.for([
  ['FAILED:self signed certificate', issue({ subject: 'client' })],
  ['FAILED:unable to verify the first certificate', issue({ subject: 'client', issuer: issue({ subject: 'nobody' }) })],
  ['FAILED:certificate has expired', issue({ subject: 'client', notAfter: new Date(now - 60_000) })],
] as const)('a certificate that nobody vouches for is %s', ([verdict, { certificate }]) => {
  expect(cfOf(secured({ der: der(certificate), verified: false })).tlsClientAuth).toMatchObject({
    certVerified: verdict,
  })
})

test('the line for cf is plain ASCII', () => {
  const { certificate } = issue({ subject: 'Zoë 🦊' })
  const { headers } = workerdHead(request(secured({ der: der(certificate), verified: false })), now)
  expect(headers[headers.indexOf('landfall-cf') + 1]).toMatch(/^[\x20-\x7e]+$/)
})
