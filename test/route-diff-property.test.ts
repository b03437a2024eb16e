import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type EncodedTable, encodeTable } from '../control/publish/encode.ts'
import { differs, diffRoutes } from '../control/route-diff/route-diff.ts'
import { factsOf as witnessFacts } from '../control/route-diff/witness.ts'
import type { Router } from '../engine/router.ts'
import { readRoot } from '../engine/table.ts'
import { factsOf, outcomes, type Parts, plainRequest, tablePair } from './table-pairs.ts'

const settings = { hideReason: false, trustedHops: 0, clientCertificate: '' }

function encoded(parts: Parts): EncodedTable {
  const result = encodeTable({ gateway: 'infra/edge', addresses: [], settings, ...parts })
  if (!result.ok) throw new Error('too large')
  return result.table
}

function routerOf({ rootBytes, shards }: EncodedTable): Router {
  const router = readRoot(rootBytes)
  for (const [name, bytes] of shards) router.addShard(name.slice('shard/'.length), bytes)
  return router
}

test('every witness really meets another fate', () => {
  let witnesses = 0
  fc.assert(
    fc.property(tablePair, ([before, after]) => {
      const [old, young] = [encoded(before), encoded(after)]
      const routers = [routerOf(old), routerOf(young)] as const
      for (const { witness } of diffRoutes('infra/edge', old, young).changes) {
        const facts = witnessFacts(witness)
        expect(outcomes(routers[0], facts)).not.toBe(outcomes(routers[1], facts))
        witnesses++
      }
    }),
    { numRuns: 300 },
  )
  expect(witnesses).toBeGreaterThan(500)
})

test('where nothing is told, 10,000 random requests meet what they met', () => {
  let silent = 0
  fc.assert(
    fc.property(tablePair, fc.nat(), ([before, after], seed) => {
      const [old, young] = [encoded(before), encoded(after)]
      const diff = diffRoutes('infra/edge', old, young)
      expect(diff.isComplete).toBe(true)
      if (differs(diff)) return
      silent++
      const routers = [routerOf(old), routerOf(young)] as const
      const seen = new Set<string>()
      for (const request of fc.sample(plainRequest, { numRuns: 10_000, seed })) {
        const key = JSON.stringify(request)
        if (seen.has(key)) continue
        seen.add(key)
        const facts = factsOf(request)
        expect([key, outcomes(routers[1], facts)]).toEqual([key, outcomes(routers[0], facts)])
      }
    }),
    { numRuns: 30 },
  )
  expect(silent).toBeGreaterThan(3)
})
