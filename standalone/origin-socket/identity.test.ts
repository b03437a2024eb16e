import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { type SubjectAltName, SubjectAltName_Kind } from '../../proto/gen/route_table.ts'
import { issue } from '../../test/certificates.ts'
import { identityFault } from './identity.ts'

const certificateFor = (...names: readonly string[]): X509Certificate =>
  new X509Certificate(issue({ subject: 'common.example', names }).certificate)

const dns = (value: string): SubjectAltName => ({ kind: SubjectAltName_Kind.HOSTNAME, value })
const uri = (value: string): SubjectAltName => ({ kind: SubjectAltName_Kind.URI, value })

test.for<[string, hostname: string, names: readonly string[], good: boolean]>([
  ['a DNS name is the hostname', 'a.example', ['DNS:a.example'], true],
  ['it may be any of several', 'a.example', ['DNS:b.example', 'URI:x:y', 'DNS:a.example'], true],
  ['case does not matter', 'a.example', ['DNS:A.Example'], true],
  ['another name is not the hostname', 'a.example', ['DNS:b.example'], false],
  ['a name below the hostname is another name', 'a.example', ['DNS:x.a.example'], false],
  ['the hostname below a name is another name', 'x.a.example', ['DNS:a.example'], false],
  ['a wildcard stands for one label', 'x.a.example', ['DNS:*.a.example'], true],
  ['a wildcard does not stand for two labels', 'x.y.a.example', ['DNS:*.a.example'], false],
  ['a wildcard does not stand for no label', 'a.example', ['DNS:*.a.example'], false],
  ['a wildcard is no part of a label', 'xy.a.example', ['DNS:x*.a.example'], false],
  ['a wildcard is the first label', 'x.y.example', ['DNS:x.*.example'], false],
  ['the common name does not count', 'common.example', [], false],
  ['the common name does not count beside other names', 'common.example', ['URI:x:y'], false],
  ['a URI is no hostname', 'a.example', ['URI:a.example'], false],
  ['a name with a comma in it is not two names', 'a.example', ['DNS:b.example, DNS:a.example'], false],
  ['a name with a NUL in it does not end there', 'a.example', ['DNS:a.example\0.b.example'], false],
  ['an empty hostname matches nothing', '', ['DNS:a.example'], false],
  ['a hostname that begins with a dot matches nothing', '.example', ['DNS:a.example'], false],
])('hostname: %s', ([, hostname, names, good]) => {
  const fault = identityFault(certificateFor(...names), { hostname, authorities: '', subjectAltNames: [] })
  expect(fault === undefined).toBe(good)
})

const spiffe = 'spiffe://cluster.local/ns/default/sa/api'

test.for<[string, wanted: readonly SubjectAltName[], names: readonly string[], good: boolean]>([
  ['one of them in the certificate is enough', [dns('a.example'), uri(spiffe)], [`URI:${spiffe}`], true],
  ['none of them in the certificate is a fault', [dns('a.example'), uri(spiffe)], ['DNS:host.example'], false],
  ['the hostname does not count any more', [dns('a.example')], ['DNS:host.example'], false],
  ['a DNS name may be a wildcard in the certificate', [dns('x.a.example')], ['DNS:*.a.example'], true],
  ['a wildcard asks for that wildcard', [dns('*.a.example')], ['DNS:*.a.example'], true],
  ['a wildcard does not ask for any name below', [dns('*.a.example')], ['DNS:x.a.example'], false],
  ['a URI is compared whole', [uri(spiffe)], [`URI:${spiffe}/more`], false],
  ['a URI is compared with case', [uri(spiffe)], [`URI:${spiffe.toUpperCase()}`], false],
  ['a URI is no DNS name', [uri('a.example')], ['DNS:a.example'], false],
  ['a DNS name is no URI', [dns('a.example')], ['URI:a.example'], false],
  ['a URI with a comma in it is not two', [uri('a:b')], ['URI:x:y, URI:a:b'], false],
  ['a URI with a comma in it is found whole', [uri('x:y, URI:a:b')], ['URI:x:y, URI:a:b'], true],
  ['a URI with quotes is found as it is', [uri('x:"y"')], ['URI:x:"y"'], true],
  ['a DNS name cannot pretend to be a URI', [uri('a:b')], ['DNS:x, URI:a:b'], false],
  ['a certificate without names has none of them', [uri('a:b')], [], false],
  ['long names are found', [uri(`x:${'y'.repeat(5000)}`)], [`URI:x:${'y'.repeat(5000)}`], true],
])('subjectAltNames: %s', ([, subjectAltNames, names, good]) => {
  const tls = { hostname: 'host.example', authorities: '', subjectAltNames: [...subjectAltNames] }
  expect(identityFault(certificateFor(...names), tls) === undefined).toBe(good)
})

test('the fault says which names were looked for', () => {
  const tls = { hostname: 'host.example', authorities: '', subjectAltNames: [dns('a.example'), uri('x:y')] }
  expect(identityFault(certificateFor('DNS:b.example'), tls)).toBe('the certificate is for none of a.example, x:y')
})
