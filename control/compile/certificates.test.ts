import { expect, test } from 'vitest'
import { certificate, otherPrivateKey, privateKey } from './certificate-fixture.ts'
import { authorityFault, keyPairFault } from './certificates.ts'
import { configMap, secret } from './object-fixture.ts'

const pair = (crt: string, key: string) =>
  keyPairFault(secret({ stringData: { 'tls.crt': crt, 'tls.key': key } }))?.path

test.for<[string, string, string, string[] | undefined]>([
  ['a certificate and its key are good', certificate, privateKey, undefined],
  ['a chain after the certificate is good', certificate + certificate, privateKey, undefined],
  ['text around the PEM blocks does not matter', `subject: x\n${certificate}\nend`, privateKey, undefined],
  ['a certificate without a PEM block is wrong', 'MIIB', privateKey, ['data', 'tls.crt']],
  [
    'a PEM block that is no certificate is wrong',
    certificate.replace(/MII[^\n]*/, 'AAAA'),
    privateKey,
    ['data', 'tls.crt'],
  ],
  [
    'a PEM block that does not end is wrong',
    certificate.replace('-----END CERTIFICATE-----', ''),
    privateKey,
    ['data', 'tls.crt'],
  ],
  [
    'a wrong certificate later in the chain is wrong',
    certificate + certificate.replace(/MII[^\n]*/, 'AAAA'),
    privateKey,
    ['data', 'tls.crt'],
  ],
  ['more certificates than a bundle may have are wrong', certificate.repeat(257), privateKey, ['data', 'tls.crt']],
  ['a key that is none is wrong', certificate, 'key', ['data', 'tls.key']],
  ['a key of another certificate is wrong', certificate, otherPrivateKey, ['data', 'tls.key']],
  ['the two put the wrong way round are wrong', privateKey, certificate, ['data', 'tls.crt']],
])('%s', ([, crt, key, path]) => {
  expect(pair(crt, key)).toEqual(path)
})

test('half a megabyte of beginnings takes no time', () => {
  const pem = '-----BEGIN CERTIFICATE-----'.repeat(20_000)
  expect(authorityFault(configMap({ data: { 'ca.crt': pem } }))?.path).toEqual(['data', 'ca.crt'])
})

test('a bundle stands under ca.crt', () => {
  expect(authorityFault(configMap({ data: { 'ca.crt': certificate } }))).toBeUndefined()
  expect(authorityFault(configMap({ data: { 'ca.pem': certificate } }))?.path).toEqual(['data'])
})
