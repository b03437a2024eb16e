import { expect, test } from 'vitest'
import { issue } from '../test/certificates.ts'
import { Certificates } from './certificates.ts'
import type { KeyPair } from './feed.ts'

const pair = (keyType: 'rsa' | undefined, ...names: readonly string[]): KeyPair =>
  issue({ subject: 'test', names: names.map((name) => `DNS:${name}`), ...(keyType !== undefined && { keyType }) })

const exact = pair(undefined, 'a.example')
const exactRsa = pair('rsa', 'A.example', 'b.example')
const wildcard = pair(undefined, '*.example')
const nameless = pair(undefined)
const pairs = new Map(Object.entries({ exact, exactRsa, wildcard, nameless }))

interface Chosen {
  choose(names: readonly string[], serverName: string): readonly (string | undefined)[]
  readonly logged: string[]
  readonly certificates: Certificates
}

function chooser(given: ReadonlyMap<string, KeyPair> = pairs): Chosen {
  const logged: string[] = []
  const certificates = new Certificates((event, { name }) => logged.push(`${event}: ${name}`))
  certificates.set(given)
  const nameOf = (chosen: KeyPair): string | undefined => [...given].find(([, each]) => each === chosen)?.[0]
  return {
    choose: (names, serverName) => certificates.choose(names, serverName).map(({ pair }) => nameOf(pair)),
    logged,
    certificates,
  }
}

test.for<[string, readonly string[], string, readonly string[]]>([
  ['a certificate that names the host', ['nameless', 'exact'], 'a.example', ['exact']],
  ['one for each type of key', ['exact', 'exactRsa'], 'a.example', ['exact', 'exactRsa']],
  ['the first of a type of key', ['wildcard', 'exact'], 'c.example', ['wildcard']],
  ['the exact name before the wildcard', ['wildcard', 'exact'], 'a.example', ['exact']],
  ['the wildcard for another type of key', ['wildcard', 'exactRsa'], 'b.example', ['exactRsa', 'wildcard']],
  ['a wildcard for one label, not two', ['nameless', 'wildcard'], 'x.a.example', ['nameless']],
  ['no wildcard for its own domain', ['nameless', 'wildcard'], 'example', ['nameless']],
  ['the first, where none names the host', ['wildcard', 'exact'], 'other.test', ['wildcard']],
  ['the first, for a client that names no host', ['exact', 'exactRsa'], '', ['exact']],
  ['those of the listener alone', ['nameless'], 'a.example', ['nameless']],
  ['nothing where there is nothing', ['missing'], 'a.example', []],
])('%s is shown', ([, names, serverName, expected]) => {
  expect(chooser().choose(names, serverName)).toEqual(expected)
})

test.for<[string, KeyPair]>([
  ['is none', { certificate: 'nonsense', privateKey: exact.privateKey }],
  ['has no key', { certificate: exact.certificate, privateKey: '' }],
  ['has the key of another', { certificate: exact.certificate, privateKey: nameless.privateKey }],
])('a certificate that %s is left out and logged once, and the rest serve', ([, bad]) => {
  const { choose, logged } = chooser(new Map([['bad', bad], ...pairs]))
  expect(choose(['bad', 'exact'], 'a.example')).toEqual(['exact'])
  expect(choose(['bad', 'exact'], 'other.test')).toEqual(['exact'])
  expect(choose(['bad'], 'a.example')).toEqual([])
  expect(logged).toEqual(['certificate cannot be used: bad'])
})

test('a pair keeps its identity until it changes', () => {
  const { certificates } = chooser()
  const id = (): number | undefined => certificates.choose(['exact'], 'a.example')[0]?.id
  const before = id()
  certificates.set(new Map([['exact', { ...exact }]]))
  expect(id()).toBe(before)
  certificates.set(new Map([['exact', wildcard]]))
  expect(id()).not.toBe(before)
  certificates.set(new Map())
  expect(id()).toBeUndefined()
})
