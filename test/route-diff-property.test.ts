import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type EncodedTable, encodeTable } from '../control/publish/encode.ts'
import type { Change } from '../control/route-diff/change.ts'
import { differs, diffRoutes } from '../control/route-diff/route-diff.ts'
import { factsOf as witnessFacts } from '../control/route-diff/witness.ts'
import type { Router } from '../engine/router.ts'
import { readRoot } from '../engine/table.ts'
import { factsOf, outcomes, type Parts, type PlainRequest, plainRequest, tablePair } from './table-pairs.ts'

const settings = { hideReason: false, trustedHops: 0, clientCertificate: '' }

function encoded(parts: Parts): EncodedTable {
  const result = encodeTable({
    gateway: 'infra/edge',
    controller: 'landfall.dev/edge-controller',
    addresses: [],
    settings,
    ...parts,
  })
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
    { numRuns: 250 },
  )
  expect(witnesses).toBeGreaterThan(300)
})

test('where nothing is told, 10,000 random requests meet what they met', { timeout: 120_000 }, () => {
  let silent = 0
  fc.assert(
    fc.property(tablePair, fc.nat(), ([before, after], seed) => {
      const [old, young] = [encoded(before), encoded(after)]
      const diff = diffRoutes('infra/edge', old, young)
      expect(diff.isComplete).toBe(true)
      // Equal tables prove nothing.
      if (differs(diff) || Buffer.from(old.rootBytes).equals(young.rootBytes)) return
      silent++
      const routers = [routerOf(old), routerOf(young)] as const
      const requests = fc.sample(plainRequest, { numRuns: 10_000, seed })
      for (const request of new Map(requests.map((each) => [JSON.stringify(each), each])).values()) {
        const facts = factsOf(request)
        expect({ request, met: outcomes(routers[1], facts) }).toEqual({ request, met: outcomes(routers[0], facts) })
      }
    }),
    { numRuns: 24 },
  )
  expect(silent).toBeGreaterThan(1)
})

/** Where a request comes to, as a change calls it. */
function taker(router: Router, request: PlainRequest): string | undefined {
  const decision = router.decide(factsOf(request), () => 0, 0)
  if (decision.type === 'missing' || decision.matched === undefined) return undefined
  return `${decision.matched.route} rule ${decision.matched.rule}`
}

const named = (rule: Change['before']): string | undefined => rule && `${rule.route} rule ${rule.rule}`

/** Whether a change is about requests that these two rules take. */
function tells({ kind, before, after }: Change, old: string | undefined, young: string | undefined): boolean {
  switch (kind) {
    case 'rule-added':
      return named(after) === young && (before === undefined) === (old === undefined)
    case 'rule-removed':
      return named(before) === old && (after === undefined) === (young === undefined)
    case 'rule-changed':
    case 'rule-moved':
      return named(before) === old && named(after) === young
    case 'backend-changed':
      return old !== undefined && young !== undefined
    case 'listener-added':
      return old === undefined
    case 'listener-removed':
      return young === undefined
  }
}

test('whatever random request meets another fate, some change tells of its rules', { timeout: 120_000 }, () => {
  let differing = 0
  fc.assert(
    fc.property(tablePair, fc.array(plainRequest, { minLength: 100, maxLength: 100 }), ([before, after], requests) => {
      const [old, young] = [encoded(before), encoded(after)]
      const { changes } = diffRoutes('infra/edge', old, young)
      const routers = [routerOf(old), routerOf(young)] as const
      for (const request of requests) {
        const facts = factsOf(request)
        if (outcomes(routers[0], facts) === outcomes(routers[1], facts)) continue
        differing++
        const rules = [taker(routers[0], request), taker(routers[1], request)] as const
        expect({ request, rules, isTold: changes.some((change) => tells(change, ...rules)) }).toMatchObject({
          isTold: true,
        })
      }
    }),
    { numRuns: 150 },
  )
  expect(differing).toBeGreaterThan(300)
})
