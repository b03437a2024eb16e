import { expect, test } from 'vitest'
import { storedRoots } from '../publish/stored.ts'
import { gateway, route, TestService } from './service-fixture.ts'

const versionOf = async ({ store }: TestService): Promise<string | undefined> =>
  (await storedRoots(store)).get('gateway/infra/web')?.version

test('a push is validated, compiled, published, and answered with its version', async () => {
  const service = await TestService.start()
  const first = await service.push('infra', gateway)
  expect([first.status, first.headers.get('etag')]).toEqual([200, '"1"'])
  expect(first.body).toMatchObject({
    set: 'infra',
    version: 1,
    objects: 2,
    unchanged: false,
    changes: [{ gateway: 'infra/web', listeners: { added: ['http'] } }],
    written: { entries: 1 },
  })
  const second = await service.push('shop', route('shop', '/cart'))
  expect(second.body).toMatchObject({ version: 1, changes: [{ routes: { added: ['HTTPRoute shop/web'] } }] })
  expect(await versionOf(service)).toBeDefined()
})

test('versions are told, the newest first, and a rollback makes a new one of the old content', async () => {
  const service = await TestService.start()
  await service.push('infra', `${gateway}---\n${route('infra', '/one')}`)
  const old = await versionOf(service)
  await service.push('infra', `${gateway}---\n${route('infra', '/two')}`)
  expect(await versionOf(service)).not.toBe(old)

  const back = await service.ask('/v1/sets/infra/rollback', { method: 'POST' })
  expect(back.body).toMatchObject({
    version: 3,
    rollbackTo: 1,
    changes: [{ routes: { changed: ['HTTPRoute infra/web'] } }],
  })
  expect(await versionOf(service)).toBe(old)

  const { body } = await service.ask('/v1/sets/infra/versions')
  expect(body.versions).toMatchObject([
    { version: 3, state: 'published', rollbackTo: 1 },
    { version: 2, state: 'published' },
    { version: 1, state: 'published' },
  ])
  expect(body.versions[0].digest).toBe(body.versions[2].digest)
})

test('errors refuse a push with file and line, and change nothing', async () => {
  const service = await TestService.start()
  await service.push('infra', gateway)
  const before = await versionOf(service)
  const wrong = await service.push('infra', gateway.replace('protocol: HTTP,', 'protocol: 7,'))
  expect(wrong.status).toBe(422)
  expect(wrong.body).toMatchObject({
    type: 'urn:landfall:control:invalid-manifests',
    problems: [{ file: 'infra/manifests.yaml', line: 11, kind: 'Gateway', field: 'spec.listeners[0].protocol' }],
  })
  expect(await versionOf(service)).toBe(before)
  expect((await service.ask('/v1/sets/infra')).body.latest.version).toBe(1)
})

test('a set cannot write into what another owns', async () => {
  const service = await TestService.start()
  await service.push('infra', gateway)
  await service.push('shop', route('shop', '/cart'))
  const { status, body } = await service.push('thief', `${route('shop', '/', 'mine')}---\n${gateway}`)
  expect(status).toBe(409)
  expect(body.owned).toEqual([
    { what: 'GatewayClass edge', owner: 'infra' },
    { what: 'Namespace infra', owner: 'infra' },
    { what: 'Namespace shop', owner: 'shop' },
  ])
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {a: b}}\n'
  expect((await service.push('thief', namespace)).body.owned).toEqual([{ what: 'Namespace shop', owner: 'shop' }])
})
