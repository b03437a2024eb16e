import { generateKeyPairSync, hash, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { encodeTable } from '../test/engine-tables.ts'
import { joinEntry, signedMessage } from './signed-root.ts'
import type { TableKey } from './table-key.ts'
import { TrustedRoots } from './trusted-roots.ts'

const NOW = 1_700_000_000_000
const key = 'gateway/infra/edge'
const { root } = encodeTable()

function keyPair(id: string) {
  const pair = generateKeyPairSync('ed25519')
  const { x = '' } = pair.publicKey.export({ format: 'jwk' })
  const pinned: TableKey = { id, publicKey: new Uint8Array(Buffer.from(x, 'base64url')) }
  return { id, privateKey: pair.privateKey, pinned }
}

const [one, two] = [keyPair('one'), keyPair('two')]

interface Signing {
  readonly by?: readonly ReturnType<typeof keyPair>[]
  readonly key?: string
  readonly sequence?: number
  readonly notAfter?: number
}

function entry({ by = [one], key: of = key, sequence = NOW, notAfter = 0 }: Signing = {}): Uint8Array {
  const message = signedMessage(of, { sequence, notAfter }, hash('sha256', root, 'buffer'))
  const signatures = by.map(({ id, privateKey }) => ({ keyId: id, signature: sign(null, message, privateKey) }))
  return joinEntry(root, { sequence, notAfter, signatures })
}

const trusting = (keys = [one.pinned], floor = 0, seen: Iterable<[string, number]> = []) =>
  new TrustedRoots({ keys, floor }, crypto.subtle, seen)

const ask = (roots: ReturnType<typeof trusting>, bytes: Uint8Array, now = NOW) => roots.rootOf(key, bytes, now)

test('who trusts nobody in particular takes every root', async () => {
  const roots = new TrustedRoots(undefined, crypto.subtle)
  expect(await ask(roots, root)).toEqual(root)
  expect(await ask(roots, entry({ key: 'gateway/other' }))).toEqual(root)
})

test('a root that a pinned key has signed is taken', async () => {
  expect(await ask(trusting(), entry())).toEqual(root)
  expect(await ask(trusting([two.pinned, one.pinned]), entry())).toEqual(root)
  expect(await ask(trusting(), entry({ by: [two, one] }))).toEqual(root)
  expect(await ask(trusting(), entry({ notAfter: NOW / 1000 }))).toEqual(root)
})

const flipped = (at: number): Uint8Array => entry().map((byte, index) => (index === at ? byte ^ 1 : byte))

test.for<[string, Uint8Array, string]>([
  ['that nobody has signed', root, 'not signed'],
  ['with an empty list of signatures', entry({ by: [] }), 'nobody'],
  ['that another key has signed', entry({ by: [two] }), 'signed by two, and that key is not pinned'],
  ['that another key has signed under the name of this', entry({ by: [{ ...two, id: 'one' }] }), 'is wrong'],
  ['that was signed for another Gateway', entry({ key: 'gateway/infra/other' }), 'is wrong'],
  ['of which a bit is another', flipped(40), 'is wrong'],
  ['whose time is over', entry({ notAfter: NOW / 1000 - 1 }), 'valid until 2023-11-14T22:13:19.000Z'],
])('a root %s is refused', async ([, bytes, why]) => {
  await expect(ask(trusting(), bytes)).rejects.toThrow(why)
})

test('every bit of an entry counts', async () => {
  const good = entry({ notAfter: NOW / 1000 + 1 })
  // Every third bit: each costs an Ed25519.
  for (let bit = 0; bit < good.length * 8; bit += 3) {
    const bad = good.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
    await expect(ask(trusting(), bad), `bit ${bit}`).rejects.toThrow(/root|signature/)
  }
})

test('a root below the floor is refused, and one at the floor is taken', async () => {
  const roots = trusting([one.pinned], NOW)
  await expect(ask(roots, entry({ sequence: NOW - 1 }))).rejects.toThrow(`below the floor ${NOW}`)
  expect(await ask(roots, entry())).toEqual(root)
})

test('a root that is older than one that was seen is refused, the same again is taken', async () => {
  const roots = trusting()
  await ask(roots, entry({ sequence: 8 }))
  expect(await ask(roots, entry({ sequence: 8 }))).toEqual(root)
  await expect(ask(roots, entry({ sequence: 7 }))).rejects.toThrow('sequence 7, and 8 was seen already')
  expect(roots.seen).toEqual(new Map([[key, 8]]))
  await expect(ask(trusting([one.pinned], 0, roots.seen), entry({ sequence: 7 }))).rejects.toThrow('seen already')
})

test('what one Gateway has seen does not bind another', async () => {
  const roots = trusting()
  await ask(roots, entry({ sequence: 8 }))
  const other = 'gateway/infra/other'
  expect(await roots.rootOf(other, entry({ key: other, sequence: 7 }), NOW)).toEqual(root)
})

test('a root that is refused leaves no trace of its sequence', async () => {
  const roots = trusting()
  for (const by of [[two], [{ ...two, id: 'one' }]])
    await ask(roots, entry({ by, sequence: NOW + 9 })).catch(() => undefined)
  expect(roots.seen.size).toBe(0)
})

test('an older root that is checked beside a newer one does not win', async () => {
  const roots = trusting()
  const both = await Promise.allSettled([ask(roots, entry({ sequence: 9 })), ask(roots, entry({ sequence: 8 }))])
  expect(both.map(({ status }) => status)).toContain('fulfilled')
  expect(roots.seen.get(key)).toBe(9)
})
