import { expect, test } from 'vitest'
import type { Router } from '../engine/router.ts'
import { encodeTable, host, rule } from '../test/engine-tables.ts'
import { type Feed, routersOf } from './feed.ts'

const nobody: ReadonlyMap<string, Router> = new Map()

const feedOf = (...tables: readonly ReturnType<typeof encodeTable>[]): Feed => ({
  roots: tables.map(({ root }) => root),
  shards: new Map(tables.flatMap(({ shards }) => [...shards])),
  keyPairs: new Map(),
})

const first = encodeTable()
const second = encodeTable({ hosts: [host({ rules: [rule({ name: 'second' })] })] })

test('a table that is as before keeps its router, and another one gets its own', () => {
  const before = routersOf(feedOf(first), nobody)
  expect(routersOf(feedOf(first), before.routers).routers.get('infra/edge')).toBe(before.routers.get('infra/edge'))
  const after = routersOf(feedOf(second), before.routers)
  expect(after.routers.get('infra/edge')).not.toBe(before.routers.get('infra/edge'))
  expect([before.faults, after.faults]).toEqual([[], []])
})

test('a shard that the last feed had need not come again', () => {
  const { routers } = routersOf(feedOf(first), nobody)
  const both = [...first.shards.keys()]
  const news = new Map([...second.shards].filter(([name]) => !both.includes(name)))
  expect(news.size).toBeLessThan(second.shards.size)
  expect(routersOf({ ...feedOf(second), shards: news }, routers).faults).toEqual([])
})

test.for<[string, Feed, string]>([
  ['with a shard missing', { ...feedOf(second), shards: new Map() }, 'is missing'],
  [
    'with a shard that does not decode',
    { ...feedOf(second), shards: new Map([...second.shards.keys()].map((name) => [name, Buffer.from([255])])) },
    'cannot be decoded',
  ],
])('a table %s leaves the last good one of its Gateway, and all others', ([, feed, fault]) => {
  const other = encodeTable({ gateway: 'infra/other' })
  const { routers } = routersOf(feedOf(first, other), nobody)
  const after = routersOf({ ...feed, roots: [...feed.roots, other.root] }, routers)
  expect([...after.routers]).toEqual([...routers])
  expect(after.faults).toEqual([expect.stringContaining(fault)])
})

test('a root that does not decode is a fault, and no reason to serve nothing', () => {
  const { routers, faults } = routersOf({ ...feedOf(first), roots: [Buffer.from([255]), first.root] }, nobody)
  expect([[...routers.keys()], faults]).toEqual([['infra/edge'], [expect.stringContaining('cannot be decoded')]])
})
