import { expect, test } from 'vitest'
import { leafOf, shardHash } from './shards.ts'

const leaf = (bits: number, prefix: number) => ({ bits, prefix, hash: new Uint8Array() })

test('one leaf of no bits answers for every key', () => {
  expect(leafOf([leaf(0, 0)], 'a.example.com')).toBe(0)
})

test('leaves of different depth cover every hash exactly once', () => {
  const leaves = [leaf(1, 0), leaf(3, 4), leaf(3, 5), leaf(2, 3)]
  for (let i = 0; i < 1000; i++) {
    const key = `host-${i}`
    const top = shardHash(key) >>> 29
    expect(leafOf(leaves, key)).toBe(top < 4 ? 0 : top === 4 ? 1 : top === 5 ? 2 : 3)
  }
})
