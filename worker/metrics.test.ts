import { expect, test } from 'vitest'
import { Metrics } from './metrics.ts'

const none = { loadedAt: 0, problems: [], gateways: [] }

const requestsOf = (metrics: Metrics): readonly string[] =>
  metrics
    .text(none)
    .split('\n')
    .filter((line) => line.startsWith('landfall_requests_total'))
    .sort()

test('requests are counted by Gateway, route and status code', () => {
  const metrics = new Metrics()
  for (const status of [200, 404, 200, 503, 404, 200]) metrics.request('a/one', 'HTTPRoute a/b', status)
  metrics.request('a/two', 'HTTPRoute a/b', 200)
  metrics.request('a/two', '', 404)
  expect(requestsOf(metrics)).toEqual([
    'landfall_requests_total{gateway="a/one",route="HTTPRoute a/b",code="200"} 3',
    'landfall_requests_total{gateway="a/one",route="HTTPRoute a/b",code="404"} 2',
    'landfall_requests_total{gateway="a/one",route="HTTPRoute a/b",code="503"} 1',
    'landfall_requests_total{gateway="a/two",route="",code="404"} 1',
    'landfall_requests_total{gateway="a/two",route="HTTPRoute a/b",code="200"} 1',
  ])
})

test('series beyond the limit are counted under another name, and those before it as ever', () => {
  const metrics = new Metrics()
  for (let route = 0; route < 5_010; route++) metrics.request('a/one', `${route}`, 200)
  metrics.request('a/one', '0', 200)
  metrics.request('a/one', '0', 500)
  const lines = requestsOf(metrics)
  expect(lines.length).toBe(5_002)
  expect(lines).toContain('landfall_requests_total{gateway="a/one",route="0",code="200"} 2')
  expect(lines).toContain('landfall_requests_total{gateway="a/one",route="other",code="200"} 10')
  expect(lines).toContain('landfall_requests_total{gateway="a/one",route="other",code="500"} 1')
})
