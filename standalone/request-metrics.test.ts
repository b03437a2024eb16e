import fc from 'fast-check'
import { AggregatorRegistry, Counter, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import type { Matched } from '../engine/decision.ts'
import { RequestMetrics } from './request-metrics.ts'
import { durationBounds } from './request-series.ts'
import { RouteNames } from './route-names.ts'

const matched = (route: string): Matched => ({ listener: 'a/b/http', hostname: '', route, rule: 0, ruleName: '' })

/** As `landfall serve` writes them: of several processes together. */
const linesOf = async (...registries: readonly Registry[]): Promise<readonly string[]> => {
  const all = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()))
  return (await AggregatorRegistry.aggregate(all).metrics())
    .split('\n')
    .filter((line) => line !== '')
    .toSorted()
}

/** The same by prom-client alone. */
function plain(): { readonly registry: Registry; count(route: string, status: number, seconds: number): void } {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: 'landfall_requests_total',
    help: 'Requests answered, by route and status code; code 0: the client left before.',
    labelNames: ['gateway', 'route', 'code'],
    registers,
  })
  const durations = new Histogram({
    name: 'landfall_request_duration_seconds',
    help: 'From the head of a request to the end of its answer.',
    labelNames: ['gateway', 'route'],
    buckets: [...durationBounds],
    registers,
  })
  return {
    registry,
    count: (route, status, seconds) => {
      requests.inc({ gateway: 'a/b', route, code: status })
      durations.observe({ gateway: 'a/b', route }, seconds)
    },
  }
}

const request = fc.record({
  route: fc.constantFrom('', 'HTTPRoute a/one', 'HTTPRoute a/two'),
  status: fc.constantFrom(0, 200, 301, 503),
  seconds: fc.oneof(fc.constantFrom(...durationBounds), fc.double({ min: 0, max: 100, noNaN: true })),
})

test('what is counted reads as if prom-client had counted it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request), async (requests) => {
      const registry = new Registry()
      const own = new RequestMetrics(registry, new RouteNames())
      const expected = plain()
      for (const { route, status, seconds } of requests) {
        own.of('a/b', route === '' ? undefined : matched(route)).count(status, seconds)
        expected.count(route, status, seconds)
      }
      expect(await linesOf(registry)).toEqual(await linesOf(expected.registry))
      expect(await linesOf(registry, registry)).toEqual(await linesOf(expected.registry, expected.registry))
    }),
  )
})

test('the next table goes on with the counts of the last', async () => {
  const registry = new Registry()
  const own = new RequestMetrics(registry, new RouteNames())
  for (let table = 0; table < 3; table++) own.of('a/b', matched('HTTPRoute a/one')).count(200, 0.002)
  expect(await linesOf(registry)).toContain(
    'landfall_requests_total{gateway="a/b",route="HTTPRoute a/one",code="200"} 3',
  )
})
