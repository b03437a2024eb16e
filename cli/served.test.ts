import { expect, test } from 'vitest'
import type { Feed } from '../standalone/feed.ts'
import { encodeTable, listener } from '../test/engine-tables.ts'
import { Served } from './served.ts'

const nothing: Feed = { roots: [], shards: new Map(), keyPairs: new Map() }

function start() {
  const lines: string[] = []
  const write = (level: string) => (first: unknown, message?: unknown) => lines.push(`${level} ${message ?? first}`)
  const log = { error: write('error'), warn: write('warn'), info: write('info') }
  let printed = ''
  const served = new Served('landfall.dev/gateway-controller', log, (text) => {
    printed += text
  })
  const show = (
    feed: Feed,
    faults: readonly string[],
  ): { readonly lines: readonly string[]; readonly printed: string } => {
    lines.length = 0
    printed = ''
    served.show({ feed, faults: [], reading: undefined }, faults, 1)
    return { lines, printed }
  }
  return show
}

test('a fault is told when it comes and when it goes, and not in between', () => {
  const show = start()
  expect([...show(nothing, ['port 80 is taken']).lines]).toEqual(['error port 80 is taken', 'info serving'])
  expect([...show(nothing, ['port 80 is taken']).lines]).toEqual(['info serving'])
  expect([...show(nothing, []).lines]).toEqual(['info no longer: port 80 is taken', 'info serving'])
})

test('of a flood of faults the first hundred are told, and how many more there are', () => {
  const { lines } = start()(
    nothing,
    Array.from({ length: 150 }, (_, n) => `fault ${n}`),
  )
  expect([lines.length, lines[100]]).toEqual([102, expect.stringContaining('and 50 more')])
})

test('a terminal gets a line for each listener, once', () => {
  const show = start()
  const { root, shards } = encodeTable({ listeners: [listener({ id: 'http', port: 80, hostname: '*.example.com' })] })
  const feed = { ...nothing, roots: [root], shards }
  expect(show(feed, []).printed.split('\n')[1]).toMatch(/^infra\/edge +http +HTTP 80 +\*\.example\.com +\*$/)
  expect(show(feed, []).printed).toBe('')
})
