import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../publish/memory.ts'
import { diffTables, tablesIn } from '../route-diff/diff-tables.ts'
import { gateway, route, TestService } from './service-fixture.ts'

const diff = (service: TestService, query: string, body?: string, token?: string) =>
  service.ask(`/v1/sets/shop/diff${query}`, {
    method: 'POST',
    ...(body === undefined ? {} : { type: 'application/yaml', body }),
    ...(token === undefined ? {} : { token }),
  })

/** Sets infra, with the Gateway, and shop, with three versions of a route to it. */
async function threeVersions(): Promise<TestService> {
  const service = await TestService.start()
  await service.push('infra', gateway)
  for (const path of ['/one', '/two', '/three']) await service.push('shop', route('shop', path))
  return service
}

const paths = ({ body }: Awaited<ReturnType<typeof diff>>) =>
  body.gateways.flatMap(({ changes }: { changes: readonly { readonly witness: { readonly path: string } }[] }) =>
    changes.map(({ witness }) => witness.path),
  )

test('two versions of a set differ as the tables that were published for them did', async () => {
  const store = new MemoryStore()
  const service = await TestService.start({ store })
  await service.push('infra', gateway)
  const published = []
  for (const path of ['/one', '/two']) {
    await service.push('shop', route('shop', path))
    published.push(await tablesIn(store))
  }
  const [before, after] = published
  if (!(before instanceof Map) || !(after instanceof Map)) throw new Error('the tables cannot be read')
  const { status, body } = await diff(service, '?from=1&to=2')
  const expected = JSON.parse(JSON.stringify(diffTables(before, after)))
  expect(expected[0].changes.length).toBeGreaterThan(0)
  expect([status, body]).toEqual([200, { set: 'shop', from: 1, to: 2, gateways: expected }])
})

test('manifests are compared with the latest version, and are not pushed', async () => {
  const service = await threeVersions()
  const answer = await diff(service, '', route('shop', '/four'))
  expect([answer.body.from, 'to' in answer.body, paths(answer).sort()]).toEqual([3, false, ['/four', '/three']])
  expect((await service.ask('/v1/sets/shop')).body.latest.version).toBe(3)
})

test('a version is named by number or as the latest, and what stays the same does not differ', async () => {
  const service = await threeVersions()
  expect(paths(await diff(service, '?from=1&to=latest')).sort()).toEqual(['/one', '/three'])
  expect((await diff(service, '?from=latest&to=3')).body.gateways).toEqual([])
})

describe('what cannot be compared is refused', () => {
  test.for<[string, string | undefined, number, string]>([
    ['?from=9&to=1', undefined, 404, 'no version 9'],
    ['?from=0&to=1', undefined, 400, 'from is the number'],
    ['?to=1;2', undefined, 400, 'to is the number'],
    ['', 'kind: [', 422, 'the manifests have errors'],
    ['', route('infra', '/'), 409, 'Namespace infra belongs to the set infra'],
    ['', undefined, 415, 'is not read'],
  ])('%s', async ([query, body, status, detail]) => {
    const answer = await diff(await threeVersions(), query, body)
    expect([answer.status, answer.body.detail]).toEqual([status, expect.stringContaining(detail)])
  })

  test('of a set that is not there, or by a token that may not plan', async () => {
    const service = await TestService.start()
    expect((await diff(service, '?from=1&to=2')).status).toBe(404)
    const reader = await service.token({ verbs: ['read', 'push', 'rollback'] })
    expect((await diff(service, '?from=1&to=2', undefined, reader)).status).toBe(403)
  })
})
