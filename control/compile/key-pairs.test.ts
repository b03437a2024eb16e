import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/objects.ts'
import { encodeTable } from '../publish/encode.ts'
import { Snapshot } from '../snapshot.ts'
import { certificate, otherPrivateKey, privateKey } from './certificate-fixture.ts'
import { compile } from './compile.ts'
import { keyPairs } from './key-pairs.ts'
import { gateway, gatewayClass, httpRoute, secret, service, site } from './object-fixture.ts'

const https = (...names: readonly string[]) =>
  gateway({
    spec: {
      listeners: [
        { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: names.map((name) => ({ name })) } },
      ],
      tls: { backend: { clientCertificateRef: { name: 'client' } } },
    },
  })
const named = (name: string, more: object = {}) => secret({ metadata: { name }, ...more })
const mismatched = { stringData: { 'tls.crt': certificate, 'tls.key': otherPrivateKey } }

function pairsOf(...objects: readonly KubeObject[]) {
  const snapshot = Snapshot.of(objects)
  return keyPairs(compile(snapshot, site).tables, snapshot)
}

test('the key pairs of listeners and of the Gateway as a client are given in PEM, by Secret', () => {
  const objects = [https('cert', 'wrong', 'nowhere'), named('cert'), named('wrong', mismatched), named('client')]
  const pair = { certificate, privateKey }
  expect(pairsOf(gatewayClass(), ...objects, named('unused'))).toEqual(
    new Map([
      ['default/cert', pair],
      ['default/client', pair],
    ]),
  )
})

test('a pair is the same object as long as its Secret is, and a new one changes no table', () => {
  const [cert, client] = [named('cert'), named('client')]
  const world = [gatewayClass(), https('cert'), client, httpRoute(), service()]
  const snapshot = Snapshot.of([...world, cert])
  const before = compile(snapshot, site)
  const pairs = keyPairs(before.tables, snapshot)
  const next = snapshot.next([...world, named('cert', { metadata: { name: 'cert', labels: { rotated: 'yes' } } })])
  const after = compile(next, site, before)
  const rotated = keyPairs(after.tables, next)
  expect(after.tables[0]).toBe(before.tables[0])
  expect(rotated.get('default/client')).toBe(pairs.get('default/client'))
  expect(rotated.get('default/cert')).not.toBe(pairs.get('default/cert'))
})

test('no private key is in a table', () => {
  const { tables } = compile(Snapshot.of([gatewayClass(), https('cert'), named('cert'), named('client')]), site)
  const encoded = tables.map(encodeTable)
  expect(encoded).toHaveLength(1)
  for (const each of encoded) {
    const text = each.ok ? Buffer.from(each.table.rootBytes).toString('latin1') : ''
    expect(text).toContain('default/cert')
    expect(text).not.toContain('PRIVATE KEY')
  }
})
